// SPDX-License-Identifier: Apache-2.0
// A gRPC client of Envoy's published protocol, which does what it is told: one JSON a line on stdin, one result a line on stdout.
// usage: client.mjs NODE_MODULES ADDRESS [CA CERT KEY]
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'

const [modules, address, ca, cert, key] = process.argv.slice(2)
const require = createRequire(path.resolve(modules, 'x'))
const grpc = require('@grpc/grpc-js')
const loader = require('@grpc/proto-loader')

const deps = path.join(modules, '@grpc/grpc-js-xds/deps')
const published = loader.loadSync(['envoy/service/auth/v3/external_auth.proto'], {
    keepCase: true, longs: Number, enums: String, defaults: false, oneofs: true, arrays: true, objects: true,
    includeDirs: ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map(dir => path.join(deps, dir)),
})
const { Authorization } = grpc.loadPackageDefinition(published).envoy.service.auth.v3

const read = file => (file ? fs.readFileSync(file) : null)
const credentials = ca
    ? grpc.credentials.createSsl(read(ca), read(key), read(cert))
    : grpc.credentials.createInsecure()
const options = { 'grpc.max_send_message_length': -1, 'grpc.enable_retries': 0 }
const client = new Authorization(address, credentials, options)

// The bytes of another method, as they are.
const raw = bytes => bytes
const methods = {
    check: (request, meta, opts, done) => client.Check(request, meta, opts, done),
    raw: ({ method, hex }, meta, opts, done) =>
        client.makeUnaryRequest(method, raw, raw, Buffer.from(hex, 'hex'), meta, opts, done),
}

const one = told => new Promise(resolve => {
    const meta = new grpc.Metadata()
    for (const [name, value] of Object.entries(told.metadata ?? {})) {
        meta.add(name, value)
    }
    const opts = told.deadline_ms ? { deadline: Date.now() + told.deadline_ms } : {}
    const call = methods[told.op ?? 'check'](told.request, meta, opts, (error, response) => {
        if (error) {
            resolve({ error: { code: error.code, details: error.details } })
        } else {
            resolve({ response: Buffer.isBuffer(response) ? response.toString('hex') : response })
        }
    })
    if (told.cancel) {
        told.cancel === 'now' ? call.cancel() : setTimeout(() => call.cancel(), told.cancel)
    }
})

const many = async told => {
    const all = await Promise.all(Array.from({ length: told.times }, () => one(told)))
    const counts = {}
    for (const { error, response } of all) {
        const what = error ? `error ${error.code}` : `status ${response.status.code ?? 0}`
        counts[what] = (counts[what] ?? 0) + 1
    }
    return { counts }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
    const told = JSON.parse(line)
    const work = told.times ? many(told) : one(told)
    work.then(result => process.stdout.write(JSON.stringify({ id: told.id, ...result }) + '\n'))
}
client.close()
