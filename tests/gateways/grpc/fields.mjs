// SPDX-License-Identifier: Apache-2.0
// Does an Envoy configuration name real fields? Each key is looked up in Envoy's published messages, each enumeration and @type too.
// usage: fields.mjs NODE_MODULES FILE   Prints what is wrong, and at last how many fields were looked up.
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'

const [modules, file] = process.argv.slice(2)
const require = createRequire(path.resolve(modules, 'x'))
const protobuf = require('protobufjs')
const yaml = require('yaml')

const deps = path.join(modules, '@grpc/grpc-js-xds/deps')
const roots = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map(dir => path.join(deps, dir)).concat(path.join(modules, 'protobufjs'))
const root = new protobuf.Root()
root.resolvePath = (_, target) =>
    roots.map(dir => path.join(dir, target)).find(name => fs.existsSync(name)) ?? target
const files = `config/bootstrap/v3/bootstrap extensions/filters/http/ext_authz/v3/ext_authz extensions/filters/http/router/v3/router
    extensions/filters/network/http_connection_manager/v3/http_connection_manager extensions/upstreams/http/v3/http_protocol_options
    extensions/access_loggers/stream/v3/stream extensions/transport_sockets/tls/v3/tls`.split(/\s+/)
root.loadSync(files.map(name => `envoy/${name}.proto`), { keepCase: true })
root.resolveAll()

let looked = 0, wrong = 0
const complain = (where, what) => {
    wrong++
    console.log(`${where}: ${what}`)
}
// Written as one value, not as a map of fields.
const PLAIN = /^google\.protobuf\.(Duration|Timestamp|\w+Value|Struct|Value|ListValue|Empty)$/

const message = (type, value, where) => {
    if (type.fullName === '.google.protobuf.Any') {
        const name = value['@type']?.split('/')[1]
        const inner = name && root.lookup(name)
        return inner ? message(inner, value, where) : complain(where, `no type ${name}`)
    }
    if (PLAIN.test(type.fullName.slice(1))) {
        return
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        return complain(where, `a ${type.name} was expected`)
    }
    for (const [key, inner] of Object.entries(value)) {
        if (key !== '@type') {
            looked++
            type.fields[key] ? field(type.fields[key], inner, `${where}.${key}`) : complain(where, `${type.fullName} has no field ${key}`)
        }
    }
}

const one = (type, name, value, where) => {
    if (type instanceof protobuf.Type) {
        message(type, value, where)
    } else if (type instanceof protobuf.Enum) {
        value in type.values || complain(where, `${type.fullName} has no ${value}`)
    } else {
        const wanted = { string: 'string', bool: 'boolean' }[name] ?? (/int|double|float/.test(name) ? 'number' : null)
        wanted === null || typeof value === wanted || complain(where, `${name} was expected, not ${JSON.stringify(value)}`)
    }
}

const field = (of, value, where) => {
    const single = inner => one(of.resolvedType, of.type, inner, where)
    if (of.map) {
        Object.values(value).forEach(single)
    } else if (of.repeated) {
        Array.isArray(value) ? value.forEach(single) : complain(where, 'a list was expected')
    } else {
        single(value)
    }
}

message(root.lookupType('envoy.config.bootstrap.v3.Bootstrap'), yaml.parse(fs.readFileSync(file, 'utf8')), 'envoy.yaml')
console.log(`${looked} fields, ${wrong} wrong`)
process.exit(wrong ? 1 : 0)
