// SPDX-License-Identifier: Apache-2.0
// Ours beside Cedar, two CEL libraries and Cerbos, in one run; see peers.sh. Each cell is a set of rules of which the last one
// decides, written for each engine in its own words. First every engine must allow the one question and deny the other; then
// rounds in which each has its turn. Figures are processor time unless they are called latency: the median over the rounds; a
// ratio is the median of the ratios within a round.
import {spawn} from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import readline from 'node:readline'
import {createRequire} from 'node:module'
import {pathToFileURL} from 'node:url'

const [peersDir, buildDir, scratch] = process.argv.slice(2).map((dir) => path.resolve(dir))
const ROUNDS = Number(process.env.PDP_PEERS_ROUNDS ?? 7)
const TURN_MS = Number(process.env.PDP_PEERS_TURN_MS ?? 40)
const PARTS = (process.env.PDP_PEERS_PARTS ?? 'conditions process servers').split(' ')
const WARM_TURNS = 4 // until node has compiled what is hot
const SERVER_WARM_MS = 1000
const require = createRequire(path.join(peersDir, 'package.json'))
const cedar = require('@cedar-policy/cedar-wasm/nodejs')
const cerbosBin = path.join(peersDir, 'node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64')
const celJs = await import(pathToFileURL(path.join(peersDir, 'node_modules/@marcbachmann/cel-js/lib/index.js')))
const bufCel = await import(pathToFileURL(require.resolve('@bufbuild/cel')))

const nowNs = () => Number(process.hrtime.bigint())
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
const must = (ok, what) => {
    if (!ok) throw new Error(what)
}

// ---- Children --------------------------------------------------------------------------------------

const children = new Set()
const start = (program, args, options) => {
    const child = spawn(program, args, options)
    children.add(child)
    child.on('exit', () => children.delete(child))
    return child
}
const stop = async (child) => {
    if (!children.has(child)) return
    const gone = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGTERM')
    await gone
}
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))

// bench_peers: a line in, a line out.
class Ours {
    constructor() {
        this.child = start(path.join(buildDir, 'bench/bench_peers'), [], {stdio: ['pipe', 'pipe', 'inherit']})
        this.waiting = []
        readline.createInterface({input: this.child.stdout}).on('line', (line) => this.waiting.shift()(line))
    }
    tell(line) {
        return new Promise((resolve) => {
            this.waiting.push(resolve)
            this.child.stdin.write(line + '\n')
        })
    }
    async timed(what, rest = '') { // as often as a turn takes
        const [guess] = (await this.tell(`${what} 20${rest}`)).split(' ')
        const count = Math.max(1, Math.round((TURN_MS * 1e6) / Math.max(Number(guess), 1)))
        const [ns, said] = (await this.tell(`${what} ${count}${rest}`)).split(' ')
        return {ns: Number(ns), said}
    }
}

// Processor time of this process, its collector and compiler included: other work on the machine is not in it.
const cpuNs = () => {
    const used = process.cpuUsage()
    return (used.user + used.system) * 1e3
}
// As often as a turn takes; nanoseconds for one.
const timed = (once) => {
    for (let count = 8; ; count *= 2) {
        const from = cpuNs()
        for (let i = 0; i < count; i++) once()
        const took = cpuNs() - from
        if (took > (TURN_MS * 1e6) / 2) return took / count
    }
}
// The same of a server: nanoseconds until the answer, and what the server used of a processor.
const usedNs = (pid) => fs.readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0)
const timedServer = async (pid, once, ms = TURN_MS) => {
    let count = 0
    const used = usedNs(pid)
    const from = nowNs()
    let now = from
    do {
        await once()
        count++
        now = nowNs()
    } while (now - from < ms * 1e6)
    return {ns: (now - from) / count, own: (usedNs(pid) - used) / count}
}

// ---- What is asked: a condition of each kind in each language -----------------------------------------

const time = (i) => new Date(Date.UTC(2027, 0, 1) - i * 60000).toISOString().replace('.000', '')
const KINDS = {
    equality: {
        ours: (i) => `subject.department == "d${i}"`,
        cedar: (i) => `principal.department == "d${i}"`,
        cerbos: (i) => `P.attr.department == "d${i}"`,
        facts: (n) => ({department: `d${n - 1}`}),
    },
    number: {
        ours: (i, n) => `subject.clearance >= ${n + 5 - i}`,
        cedar: (i, n) => `principal.clearance >= ${n + 5 - i}`,
        cerbos: (i, n) => `P.attr.clearance >= ${n + 5 - i}`,
        facts: () => ({clearance: 6}),
    },
    membership: {
        ours: (i) => `"role-${i}" in subject.roles`,
        cedar: (i) => `principal.roles.contains("role-${i}")`,
        cerbos: (i) => `"role-${i}" in P.attr.roles`,
        facts: (n) => ({roles: ['staff', `role-${n - 1}`]}),
    },
    prefix: {
        ours: (i) => `subject.location.startsWith("/area-${i}/")`,
        cedar: (i) => `principal.location like "/area-${i}/*"`,
        cerbos: (i) => `P.attr.location.startsWith("/area-${i}/")`,
        facts: (n) => ({location: `/area-${n - 1}/42`}),
    },
    pattern: {
        ours: (i) => `subject.location.matches("^/area-${i}/[0-9]+$")`,
        cerbos: (i) => `P.attr.location.matches("^/area-${i}/[0-9]+$")`,
        facts: (n) => ({location: `/area-${n - 1}/42`}),
    },
    network: {
        ours: (i) => `cidr("10.${i >> 8}.${i & 255}.0/24").containsIP(network.ip)`,
        cedar: (i) => `context.ip.isInRange(ip("10.${i >> 8}.${i & 255}.0/24"))`,
        cerbos: (i) => `P.attr.ip.inIPAddrRange("10.${i >> 8}.${i & 255}.0/24")`,
        facts: () => ({}),
        ip: (n) => `10.${(n - 1) >> 8}.${(n - 1) & 255}.7`,
    },
    time: {
        ours: (i) => `timestamp(context.signed_in) > timestamp("${time(i)}")`,
        cedar: (i) => `context.signed_in > datetime("${time(i)}")`,
        cerbos: (i) => `timestamp(P.attr.signed_in) > timestamp("${time(i)}")`,
        facts: () => ({}),
        signedIn: (n) => new Date(Date.UTC(2027, 0, 1) - (n - 1) * 60000 + 1000).toISOString().replace('.000', ''),
    },
}
// What nobody may do: another subject whose facts fit no rule.
const NOTHING = {department: 'none', clearance: 0, roles: [], location: '/'}

// One cell: `n` rules of a kind, all about the thing that is asked about; or, where spread, each about one of its own.
const cellOf = (kind, n, spread) => {
    const k = KINDS[kind]
    const asked = spread ? `app-${n - 1}` : 'app'
    const of = (facts, ip, signedIn) => ({
        ours: JSON.stringify({subject: {type: 'user', id: 'alice', properties: facts}, action: {name: 'read'},
            resource: {type: 'route', id: `/${asked}/x`}, context: {network: {ip}, signed_in: signedIn}}),
        cedar: {principal: {type: 'User', id: 'alice'}, action: {type: 'Action', id: 'read'}, resource: {type: 'App', id: asked},
            context: {ip: {__extn: {fn: 'ip', arg: ip}}, signed_in: {__extn: {fn: 'datetime', arg: signedIn}}},
            entities: [{uid: {type: 'User', id: 'alice'}, attrs: facts, parents: []}], preparsedPolicySetId: 'set'},
        cerbos: JSON.stringify({requestId: 'r', principal: {id: 'alice', roles: ['user'], attr: {...facts, ip, signed_in: signedIn}},
            resources: [{actions: ['read'], resource: {kind: asked, id: 'x'}}]}),
    })
    return {
        name: `${n} ${kind}${spread ? ', each about its own resource' : ''}`, kind, n, spread, k,
        yes: of({...NOTHING, ...k.facts(n)}, k.ip?.(n) ?? '192.0.2.1', k.signedIn?.(n) ?? '2020-01-01T00:00:00Z'),
        no: of(NOTHING, '192.0.2.1', '2020-01-01T00:00:00Z'),
    }
}
const quoted = (text) => `'${text.replaceAll("'", "''")}'`

const oursText = ({k, n, spread}) => {
    let text = ''
    for (let i = 0; i < n; i++) {
        if (i % 1000 === 0) {
            text += `---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p${i / 1000}}\nrules:\n`
        }
        const about = spread ? `"/app-${i}/**"` : '"/app/**"'
        text += `  - {id: r${i}, effect: allow, actions: [read], resources: [${about}], when: ${quoted(k.ours(i, n))}}\n`
    }
    return text
}
const cedarText = ({k, n, spread}) => {
    let text = ''
    for (let i = 0; i < n; i++) {
        const about = spread ? `app-${i}` : 'app'
        text += `permit(principal, action == Action::"read", resource == App::"${about}") when { ${k.cedar(i, n)} };\n`
    }
    return text
}
const writeCerbos = (dir, {k, n, spread}) => {
    const rule = (i) => `    - {name: r${i}, actions: [read], effect: EFFECT_ALLOW, roles: [user], ` +
        `condition: {match: {expr: ${quoted(k.cerbos(i, n))}}}}\n`
    const policy = (kind, rules) => 'apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n' +
        `  resource: ${kind}\n  version: default\n  rules:\n${rules}`
    fs.mkdirSync(dir, {recursive: true})
    for (let i = 0; spread && i < n; i++) {
        fs.writeFileSync(path.join(dir, `app-${i}.yaml`), policy(`app-${i}`, rule(i)))
    }
    if (!spread) {
        fs.writeFileSync(path.join(dir, 'app.yaml'), policy('app', Array.from({length: n}, (_, i) => rule(i)).join('')))
    }
}

// ---- In process --------------------------------------------------------------------------------------

const cedarAllows = (call) => {
    const answer = cedar.statefulIsAuthorized(call)
    must(answer.type === 'success', JSON.stringify(answer))
    return answer.response.decision === 'allow'
}

// WebAssembly is compiled well only after thousands of calls.
const warmCedar = () => {
    const cell = cellOf('membership', 20, false)
    must(cedar.preparsePolicySet('set', {staticPolicies: cedarText(cell)}).type === 'success', 'cedar')
    for (let i = 0; i < 4000; i++) cedar.statefulIsAuthorized(cell.yes.cedar)
}

const inProcess = async (ours, cell) => {
    const dir = fs.mkdtempSync(path.join(scratch, 'ours-'))
    fs.writeFileSync(path.join(dir, 'p.yaml'), oursText(cell))
    const withCedar = cell.k.cedar !== undefined
    const text = withCedar ? cedarText(cell) : ''
    const loads = {ours: [], cedar: [], ratio: []}
    for (let round = 0; round < 3; round++) {
        const [ns, rules] = (await ours.tell(`load ${dir}`)).split(' ')
        must(Number(rules) >= cell.n, `${cell.name}: ${rules} rules were loaded`)
        loads.ours.push(Number(ns))
        if (withCedar) {
            const from = cpuNs()
            const answer = cedar.preparsePolicySet('set', {staticPolicies: text})
            loads.cedar.push(cpuNs() - from)
            must(answer.type === 'success', JSON.stringify(answer))
            loads.ratio.push(loads.cedar.at(-1) / loads.ours.at(-1))
        }
    }
    for (const [question, allowed] of [[cell.no, false], [cell.yes, true]]) {
        await ours.tell(`question ${question.ours}`)
        must((await ours.tell('json 1')).endsWith(allowed ? 'allow' : 'deny'), `${cell.name}: ours does not say ${allowed}`)
        must(!withCedar || cedarAllows(question.cedar) === allowed, `${cell.name}: cedar does not say ${allowed}`)
    }
    const runs = {json: [], cbor: [], tree: [], cedar: [], ratio: []}
    for (let i = 0; withCedar && i < WARM_TURNS; i++) timed(() => cedar.statefulIsAuthorized(cell.yes.cedar))
    for (let round = 0; round < ROUNDS; round++) {
        for (const how of ['json', 'cbor', 'tree']) runs[how].push((await ours.timed(how)).ns)
        if (withCedar) {
            runs.cedar.push(timed(() => cedar.statefulIsAuthorized(cell.yes.cedar)))
            runs.ratio.push(runs.cedar.at(-1) / runs.json.at(-1))
        }
    }
    return {loads, runs}
}

// ---- Servers -----------------------------------------------------------------------------------------

const until = async (what, ready, ms = 120000) => {
    const from = Date.now()
    while (!(await ready())) {
        must(Date.now() - from < ms, `${what} does not get ready`)
        await new Promise((resolve) => setTimeout(resolve, 5))
    }
}

// pdpd over ipc: a REQ of the scalability protocols, one question at a time.
class Pdpd {
    async start(dir) {
        this.socket = path.join(dir, 's')
        let said = ''
        const from = nowNs()
        this.child = start(path.join(buildDir, 'bin/pdpd'), ['--policies', path.join(dir, 'policies'), '--decide', `ipc://${this.socket}`,
            '--workers', '1'], {stdio: ['ignore', 'ignore', 'pipe']})
        this.child.stderr.on('data', (bytes) => (said += bytes))
        await until('pdpd', async () => said.includes('event=ready') || must(children.has(this.child), said))
        this.ready = nowNs() - from
        this.link = net.connect(this.socket)
        this.bytes = Buffer.alloc(0)
        this.link.on('data', (bytes) => {
            this.bytes = this.bytes.length > 0 ? Buffer.concat([this.bytes, bytes]) : bytes
            this.take()
        })
        this.greeted = false
        this.link.write(Buffer.from('0053500000300000', 'hex'))
        this.number = 0
    }
    take() {
        if (!this.greeted && this.bytes.length >= 8) {
            this.greeted = true
            this.bytes = this.bytes.subarray(8)
        }
        if (this.bytes.length < 9) return
        const length = Number(this.bytes.readBigUInt64BE(1))
        if (this.bytes.length < 9 + length) return
        const body = this.bytes.subarray(13, 9 + length)
        this.bytes = this.bytes.subarray(9 + length)
        this.answered(body)
    }
    ask(text) {
        const head = Buffer.alloc(13)
        head[0] = 1
        head.writeBigUInt64BE(BigInt(4 + Buffer.byteLength(text)), 1)
        head.writeUInt32BE((0x80000000 | (this.number++ & 0x7fffffff)) >>> 0, 9)
        return new Promise((resolve) => {
            this.answered = resolve
            this.link.write(Buffer.concat([head, Buffer.from(text)]))
        })
    }
    async allows(text) {
        return JSON.parse(await this.ask(text)).decision
    }
    async stop() {
        this.link.destroy()
        await stop(this.child)
    }
}

// Cerbos: its HTTP interface over a unix socket, kept alive, one question at a time.
class Cerbos {
    async start(dir) {
        this.socket = path.join(dir, 'h')
        this.agent = new http.Agent({keepAlive: true, maxSockets: 1})
        const config = `server: {httpListenAddr: "unix:${this.socket}", grpcListenAddr: "unix:${path.join(dir, 'g')}"}\n` +
            `storage: {driver: disk, disk: {directory: "${path.join(dir, 'cerbos')}", watchForChanges: false}}\n` +
            'telemetry: {disabled: true}\naudit: {enabled: false}\n'
        fs.writeFileSync(path.join(dir, 'cerbos.yaml'), config)
        let said = ''
        const from = nowNs()
        this.child = start(cerbosBin, ['server', '--log-level=error', `--config=${path.join(dir, 'cerbos.yaml')}`],
            {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, CERBOS_NO_TELEMETRY: '1', GOMAXPROCS: '1'}})
        for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (bytes) => (said += bytes))
        await until('cerbos', async () => {
            must(children.has(this.child), said)
            return this.send('GET', '/_cerbos/health').then((text) => text.includes('SERVING'), () => false)
        })
        this.ready = nowNs() - from
    }
    send(method, where, body) {
        return new Promise((resolve, reject) => {
            const headers = body === undefined ? {} : {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}
            const call = http.request({socketPath: this.socket, agent: this.agent, method, path: where, headers}, (answer) => {
                const parts = []
                answer.on('data', (part) => parts.push(part))
                answer.on('end', () => resolve(Buffer.concat(parts).toString()))
            })
            call.on('error', reject)
            call.end(body)
        })
    }
    ask(text) {
        return this.send('POST', '/api/check/resources', text)
    }
    async allows(text) {
        return JSON.parse(await this.ask(text)).results[0].actions.read === 'EFFECT_ALLOW'
    }
    async stop() {
        this.agent.destroy()
        await stop(this.child)
    }
}

const servers = async (cell) => {
    const dir = fs.mkdtempSync(path.join(scratch, 's-'))
    fs.mkdirSync(path.join(dir, 'policies'))
    fs.writeFileSync(path.join(dir, 'policies/p.yaml'), oursText(cell))
    writeCerbos(path.join(dir, 'cerbos'), cell)
    const pdpd = new Pdpd(), cerbos = new Cerbos()
    await pdpd.start(dir)
    await cerbos.start(dir)
    for (const [question, allowed] of [[cell.no, false], [cell.yes, true]]) {
        must((await pdpd.allows(question.ours)) === allowed, `${cell.name}: pdpd does not say ${allowed}`)
        must((await cerbos.allows(question.cerbos)) === allowed, `${cell.name}: cerbos does not say ${allowed}`)
    }
    const runs = {pdpd: [], cerbos: [], ratio: [], pdpdOwn: [], cerbosOwn: [], ownRatio: []}
    for (let round = -1; round < ROUNDS; round++) { // the first warms up
        const ms = round < 0 ? SERVER_WARM_MS : TURN_MS
        const ours = await timedServer(pdpd.child.pid, () => pdpd.ask(cell.yes.ours), ms)
        const theirs = await timedServer(cerbos.child.pid, () => cerbos.ask(cell.yes.cerbos), ms)
        if (round >= 0) {
            runs.pdpd.push(ours.ns)
            runs.cerbos.push(theirs.ns)
            runs.ratio.push(theirs.ns / ours.ns)
            runs.pdpdOwn.push(ours.own)
            runs.cerbosOwn.push(theirs.own)
            runs.ownRatio.push(theirs.own / ours.own)
        }
    }
    const ready = {pdpd: pdpd.ready, cerbos: cerbos.ready}
    await pdpd.stop()
    await cerbos.stop()
    fs.rmSync(dir, {recursive: true})
    return {runs, ready}
}

// ---- Conditions alone: CEL beside CEL -----------------------------------------------------------------

const CEL = {
    'equality': ['department == "hr"', 'department == "hr#"'],
    'number': ['clearance >= 5', 'clearance >= #'],
    'membership': ['"staff" in roles', '"staff#" in roles'],
    'literal list': ['department in ["sales", "it", "legal", "hr"]', 'department in ["sales", "it", "legal", "hr#"]'],
    'exists': ['roles.exists(r, r.startsWith("st"))', 'roles.exists(r, r.startsWith("st#"))'],
    'prefix': ['location.startsWith("/payroll/")', 'location.startsWith("/payroll/#")'],
    'pattern': ['location.matches("^/payroll/[0-9]+$")', 'location.matches("^/payroll#/[0-9]+$")'],
    'time': ['signed_in > timestamp("2026-01-01T00:00:00Z")', 'signed_in > timestamp("2026-01-01T00:00:00Z") && clearance != #'],
    'all of them': ['department == "hr" && clearance >= 5 && "staff" in roles && location.startsWith("/payroll/") && ' +
        'location.matches("^/payroll/[0-9]+$") && signed_in > timestamp("2026-01-01T00:00:00Z")',
    'department == "hr#" && clearance >= # && "staff#" in roles && location.startsWith("/payroll/#") && ' +
        'location.matches("^/payroll#/[0-9]+$") && signed_in > timestamp("2026-01-01T00:00:00Z")'],
}

const conditions = async (ours) => {
    const js = new celJs.Environment().registerVariable('department', 'string').registerVariable('clearance', 'int')
        .registerVariable('roles', 'list<string>').registerVariable('location', 'string')
        .registerVariable('signed_in', 'google.protobuf.Timestamp')
    const facts = {department: 'hr', clearance: 5n, roles: ['staff', 'hr'], location: '/payroll/42', signed_in: new Date(1795420200000)}
    const {celEnv, parse, plan} = bufCel
    const {timestampFromDate} = await import(pathToFileURL(require.resolve('@bufbuild/protobuf/wkt')))
    const bufEnv = celEnv()
    const bufFacts = {...facts, signed_in: timestampFromDate(facts.signed_in)}
    let number = 0
    const rows = []
    for (const [kind, [text, numbered]] of Object.entries(CEL)) {
        const jsRun = js.parse(text)
        must(jsRun.check().valid, `cel-js: ${text}`)
        const bufRun = plan(bufEnv, parse(text))
        must((await ours.tell(`run 1 ${text}`)).endsWith('yes'), `ours: ${text}`)
        must(jsRun(facts) === true, `cel-js: ${text}`)
        must(bufRun(bufFacts) === true, `@bufbuild/cel: ${text}`)
        const runs = {ours: [], js: [], buf: [], jsRatio: [], bufRatio: []}
        const parses = {ours: [], js: [], buf: [], jsRatio: [], bufRatio: []}
        const add = (to, ns, jsNs, bufNs) => {
            to.ours.push(ns)
            to.js.push(jsNs)
            to.buf.push(bufNs)
            to.jsRatio.push(jsNs / ns)
            to.bufRatio.push(bufNs / ns)
        }
        for (let i = 0; i < WARM_TURNS; i++) [() => jsRun(facts), () => bufRun(bufFacts)].map(timed)
        for (let round = 0; round < ROUNDS; round++) {
            add(runs, (await ours.timed('run', ` ${text}`)).ns, timed(() => jsRun(facts)), timed(() => bufRun(bufFacts)))
            const one = () => numbered.replaceAll('#', String(number++))
            add(parses, Number(await ours.tell(`parse 1000 ${numbered}`)), timed(() => js.parse(one()).check()),
                timed(() => plan(bufEnv, parse(one()))))
        }
        rows.push({kind, runs, parses})
    }
    return rows
}

// ---- Tables ------------------------------------------------------------------------------------------

const amount = (ns) => {
    if (ns === undefined) return '–'
    for (const [unit, of] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
        if (ns >= of) return `${(ns / of).toPrecision(3)} ${unit}`
    }
    return `${ns.toFixed(0)} ns`
}
const at = (list) => amount(list.length > 0 ? median(list) : undefined)
const times = (list) => (list.length > 0 ? `${Number(median(list).toPrecision(3))}` : '–')
const table = (title, head, rows) => {
    console.log(`\n${title}\n\n| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}`)
    for (const row of rows) console.log(`| ${row.join(' | ')} |`)
}

const version = (name) => JSON.parse(fs.readFileSync(path.join(peersDir, 'node_modules', name, 'package.json'))).version
console.log(`cedar-wasm ${version('@cedar-policy/cedar-wasm')}, @marcbachmann/cel-js ${version('@marcbachmann/cel-js')}, ` +
    `@bufbuild/cel ${version('@bufbuild/cel')}, Cerbos ${version('@cerbos/cerbos-linux-x64')}, node ${process.version}; ` +
    `${ROUNDS} rounds, turns of ${TURN_MS} ms`)

const COUNTS = (process.env.PDP_PEERS_COUNTS ?? '1 20 200 2000 10000').split(' ').map(Number)
const ours = new Ours()

const cells = [...COUNTS.map((n) => cellOf('membership', n, true)), ...COUNTS.map((n) => cellOf('membership', n, false)),
    ...Object.keys(KINDS).filter((kind) => kind !== 'membership').map((kind) => cellOf(kind, 200, false))]

if (PARTS.includes('conditions')) {
    const celRows = await conditions(ours)
    table('Conditions: one run (ratios to ours)', ['Condition', 'ours', 'cel-js', 'ratio', '@bufbuild/cel', 'ratio'],
        celRows.map(({kind, runs}) => [kind, at(runs.ours), at(runs.js), times(runs.jsRatio), at(runs.buf), times(runs.bufRatio)]))
    table('Conditions: parsed, checked, compiled (ratios to ours)', ['Condition', 'ours', 'cel-js', 'ratio', '@bufbuild/cel', 'ratio'],
        celRows.map(({kind, parses}) => [kind, at(parses.ours), at(parses.js), times(parses.jsRatio), at(parses.buf), times(parses.bufRatio)]))
}
if (PARTS.includes('process')) {
    const loadRows = [], rows = []
    warmCedar()
    for (const cell of cells) {
        const {loads, runs} = await inProcess(ours, cell)
        loadRows.push([cell.name, at(loads.ours), at(loads.cedar), times(loads.ratio)])
        rows.push([cell.name, at(runs.tree), at(runs.cbor), at(runs.json), at(runs.cedar), times(runs.ratio)])
    }
    table('In process: loaded (ratio to ours)', ['Rules', 'ours', 'cedar-wasm', 'ratio'], loadRows)
    table('In process: one decision (ratio to ours from JSON to JSON)',
        ['Rules', 'ours, decoded', 'CBOR', 'JSON', 'cedar-wasm', 'ratio'], rows)
}
await stop(ours.child)
if (PARTS.includes('servers')) {
    const serverRows = []
    for (const cell of cells) {
        const {runs, ready} = await servers(cell)
        serverRows.push([cell.name, amount(ready.pdpd), amount(ready.cerbos), at(runs.pdpd), at(runs.cerbos), times(runs.ratio),
            at(runs.pdpdOwn), at(runs.cerbosOwn), times(runs.ownRatio)])
    }
    table('Servers: started until ready; one question at a time from one client; own processor time for one (ratios to ours)',
        ['Rules', 'pdpd ready', 'Cerbos ready', 'pdpd latency', 'Cerbos latency', 'ratio', 'pdpd', 'Cerbos', 'ratio'], serverRows)
}
