// SPDX-License-Identifier: Apache-2.0
// What a person does in VS Code: its workbench in a browser, its own extension host, the extension installed as docs/EDITORS.md says.
// use: node vscode.mjs SERVER PDPCTL WORK: WORK holds `extensions` and `policies`, and takes all that VS Code writes.
import {spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {Page} from './chromium.mjs';

const [code, pdpctl, work] = process.argv.slice(2);
const SETTINGS = {
    'pdp.pdpctl': pdpctl, 'telemetry.telemetryLevel': 'off', 'extensions.autoCheckUpdates': false, 'extensions.autoUpdate': false,
    'workbench.startupEditor': 'none',
};
let failed = 0;

function same(what, is, expected) {
    if (!isDeepStrictEqual(is, expected)) {
        failed++;
        console.log(`${what}: is ${JSON.stringify(is)} and not ${JSON.stringify(expected)}`);
    }
}

// VS Code itself, which asks nothing of other machines. Resolves once it listens.
async function serve() {
    const data = join(work, 'server');
    mkdirSync(join(data, 'data/Machine'), {recursive: true});
    writeFileSync(join(data, 'data/Machine/settings.json'), JSON.stringify(SETTINGS));
    const server = spawn(process.execPath, [join(code, 'out/server-main.js'), '--host', '127.0.0.1', '--port', '0', '--without-connection-token',
        '--accept-server-license-terms', '--telemetry-level', 'off', '--server-data-dir', data, '--extensions-dir', join(work, 'extensions'),
        '--builtin-extensions-dir', join(code, 'extensions')],
    {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}'}});
    server.ended = new Promise((done) => server.once('exit', done));
    server.said = '';
    server.stderr.setEncoding('utf8').on('data', (text) => { server.said += text; });
    server.port = await new Promise((done, fail) => {
        server.ended.then(() => fail(new Error(`VS Code ended: ${server.said}`)));
        server.stdout.setEncoding('utf8').on('data', (text) => {
            server.said += text;
            const [, port] = /agent listening on (\d+)/.exec(server.said) ?? [];
            port && done(port);
        });
    });
    return server;
}

// Its extension host would look for it for some seconds more, and write.
async function stop(server) {
    const hosts = [...server.said.matchAll(/<(\d+)> Launched Extension Host/g)].map(([, pid]) => Number(pid));
    const alive = (pid) => {
        try {
            return process.kill(pid, 0);
        } catch {
            return false;
        }
    };
    hosts.filter(alive).forEach((pid) => process.kill(pid));
    while (hosts.some(alive)) {
        await new Promise((done) => setTimeout(done, 20));
    }
    server.kill();
    await server.ended;
}

// These run in the page. Blanks are shown as another character there.
const texts = (selector) => [...document.querySelectorAll(selector)].map((one) => one.innerText.replaceAll('\u00a0', ' '));
const shown = (selector, text) => [...document.querySelectorAll(selector)].some((one) =>
    one.getBoundingClientRect().width > 0 && one.innerText.replace(/\s+/g, ' ').includes(text));
const absent = (selector) => ![...document.querySelectorAll(selector)].some((one) => one.getBoundingClientRect().width > 0);
const focused = (selector) => document.activeElement?.closest(selector) !== null;
const middle = (selector, text) => {
    const one = [...document.querySelectorAll(selector)].find((one) => one.innerText.includes(text));
    const {left, top, width, height} = one?.getBoundingClientRect() ?? {};
    return width > 0 && {x: left + width / 2, y: top + height / 2};
};
const place = (line, part) => { // where `part` of the line of this text stands on the screen
    const plain = (text) => text.replaceAll('\u00a0', ' ');
    const shown = [...document.querySelectorAll('.editor-instance .view-line')].find((one) => plain(one.textContent) === line);
    const walk = shown && document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    const from = line.indexOf(part), to = from + part.length;
    for (let passed = 0; walk?.nextNode(); passed += walk.currentNode.length) {
        const within = (at) => at >= passed && at <= passed + walk.currentNode.length;
        within(from) && range.setStart(walk.currentNode, from - passed);
        if (within(to)) {
            range.setEnd(walk.currentNode, to - passed);
            const {left, right, top, bottom} = range.getBoundingClientRect();
            return {left, right, top, bottom, x: (left + right) / 2, y: (top + bottom) / 2};
        }
    }
};
const squiggles = (expected) => {
    const found = [...document.querySelectorAll('.editor-instance .squiggly-error')].map((one) => one.getBoundingClientRect());
    return found.length === expected && found.map(({left, right, top, bottom}) => ({left, right, top, bottom}));
};

class Person {
    constructor(page) {
        this.page = page;
    }

    sees(selector, text) {
        return this.page.until(`\`${text}\` in ${selector}`, shown, selector, text);
    }

    async stands(line, column) {
        await this.sees('.statusbar-item', `Ln ${line}, Col ${column}`);
    }

    async goes(line, column) {
        await this.page.press('Control+g');
        await this.page.until('box for a line', focused, '.quick-input-widget');
        await this.page.type(`${line}:${column}`);
        await this.page.press('Enter');
        await this.page.until('the editor again', focused, '.editor-instance');
        await this.stands(line, column);
    }

    async underlined(line, part, mistakes = 1) { // so many are underlined, one of them this part of this line
        await this.page.until(`line \`${line}\``, place, line, part);
        const found = await this.page.until(`${mistakes} underlined`, squiggles, mistakes);
        const {left, right, top, bottom} = await this.page.see(place, line, part);
        const near = (a, b) => Math.abs(a - b) < 3;
        const good = found.some((is) => near(is.left, left) && near(is.right, right) && is.top >= top - 3 && is.bottom <= bottom + 6);
        same(`what is underlined in ${line}`, good ? part : {found, part: {left, right, top, bottom}}, part);
    }

    async hovers(line, part, text) {
        await this.page.move(await this.page.until(`\`${part}\``, place, line, part));
        await this.sees('.monaco-hover', text);
    }
}

async function session(page, port) {
    const me = new Person(page);
    const file = `vscode-remote://127.0.0.1:${port}${work}/policies/web.yaml`;
    await page.open(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(`${work}/policies`)}&payload=${
        encodeURIComponent(JSON.stringify([['openFile', file]]))}`);

    // A folder that nobody trusts gets no extension that starts programs.
    await me.sees('.view-line', 'apiVersion: pdp/v1');
    const trust = await page.until('question for trust', middle, '.monaco-dialog-box .monaco-button', 'Yes, I trust');
    same('no mistakes before', await page.see(absent, '.editor-instance .squiggly-error'), true);
    await page.click(trust);

    // A mistake of the file as it was, its words, and its mend.
    await me.underlined('    when: risk.scroe > 60', 'risk.scroe');
    await me.hovers('    when: risk.scroe > 60', 'risk.scroe', 'there is no attribute `risk.scroe` hint: did you mean `risk.score`?');
    same('who says it', await page.see(shown, '.monaco-hover', 'pdp'), true);
    await me.goes(12, 16);
    await page.press('Control+.');
    await me.sees('.action-widget', 'risk.score');
    await page.press('Enter');
    await me.sees('.view-line', 'when: risk.score > 60');
    await page.until('end of the mistake', absent, '.editor-instance .squiggly-error');

    // A keystroke that breaks it, and completion that mends it.
    await me.goes(12, 21);
    await page.press('Backspace');
    await me.underlined('    when: risk.scor > 60', 'risk.scor');
    await page.press('Escape');
    for (let i = 0; i < 2; i++) {
        await page.press('Backspace');
    }
    await page.type('o');
    await me.sees('.suggest-widget .monaco-list-row.focused', 'score');
    same('completion', (await page.see(texts, '.suggest-widget .monaco-list-row .label-name')), ['score']);
    await page.press('Enter');
    await me.sees('.view-line', 'when: risk.score > 60');
    await page.until('end of the mistake', absent, '.editor-instance .squiggly-error');

    await me.hovers('    when: vars.office && "staff" in subject.roles', 'office', 'variable office network.ip in lists.offices type: bool');

    // A list that is another in its file is a mistake here at once: VS Code watches for the server.
    const lists = join(work, 'policies/lists.yaml');
    const kept = readFileSync(lists, 'utf8');
    writeFileSync(lists, kept.replace('name: offices', 'name: branches'));
    await me.underlined('  office: network.ip in lists.offices', 'lists.offices', 2);
    writeFileSync(lists, kept);
    await page.until('end of the mistake', absent, '.editor-instance .squiggly-error');

    // What `pdpctl fmt` would write.
    await me.goes(2, 6);
    await page.type('  ');
    await page.until('blanks', place, 'kind:   Policy', 'kind');
    await page.press('Control+Shift+i');
    await page.until('formatted text', place, 'kind: Policy', 'kind');

    await page.press('Control+Shift+o');
    await me.sees('.quick-input-list .monaco-list-row', 'risky');
    await page.press('Escape');

    await me.goes(5, 34);
    await page.press('F12');
    await me.sees('.tab.active', 'lists.yaml');
    await me.stands(3, 18);
}

const page = new Page(join(work, 'profile'));
const server = await serve();
try {
    await session(page, server.port);
} catch (why) {
    failed++;
    console.log(why.message, server.said.split('\n').slice(-20).join('\n'));
    process.env.PDP_PICTURE && await page.picture(process.env.PDP_PICTURE).catch(() => {});
}
await page.close();
await stop(server);
console.log(failed ? 'not as expected' : 'as expected');
process.exit(failed ? 1 : 0);
