// SPDX-License-Identifier: Apache-2.0
// An editor, as far as the protocol goes: the client library of VS Code over the pipes of a real `pdpctl lsp`.
import {spawn} from 'node:child_process';
import {mkdirSync, writeFileSync, mkdtempSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

export const [pdpctl, modules] = process.argv.slice(2);
export const program = resolve(pdpctl);
const rpc = createRequire(pathToFileURL(resolve(modules, 'x.js')))('vscode-jsonrpc/node');

const ENOUGH_MS = 20000;

export function within(promise, what) {
    let timer;
    const late = new Promise((_, fail) => {
        timer = setTimeout(() => fail(new Error(`no ${what} in ${ENOUGH_MS} ms`)), ENOUGH_MS);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Folder {
    constructor(files) {
        this.root = mkdtempSync(join(tmpdir(), 'pdp-editor-'));
        for (const [name, text] of Object.entries(files)) {
            this.write(name, text);
        }
    }

    write(name, text) {
        mkdirSync(dirname(join(this.root, name)), {recursive: true});
        writeFileSync(join(this.root, name), text);
    }

    remove(name) {
        rmSync(join(this.root, name));
    }

    uri(name) {
        return pathToFileURL(join(this.root, name)).href;
    }

    drop() {
        rmSync(this.root, {recursive: true, force: true});
    }
}

export class Editor {
    constructor(folder) {
        this.folder = folder;
        this.child = spawn(program, ['lsp'], {stdio: ['pipe', 'pipe', 'inherit']});
        this.ended = new Promise((done) => this.child.once('exit', (code, signal) => done(code ?? signal)));
        this.link = rpc.createMessageConnection(new rpc.StreamMessageReader(this.child.stdout),
            new rpc.StreamMessageWriter(this.child.stdin));
        this.shown = new Map(); // diagnostics by URI, with the version that they are of
        this.waiting = [];
        this.registered = [];
        this.link.onNotification('textDocument/publishDiagnostics', (params) => {
            this.shown.set(params.uri, params);
            this.waiting = this.waiting.filter((wait) => !wait());
        });
        this.link.onRequest('client/registerCapability', (params) => {
            this.registered.push(...params.registrations);
            return null;
        });
        this.link.listen();
        this.versions = new Map();
    }

    ask(method, ...rest) { // parameters, and a token to cancel by
        return within(this.link.sendRequest(method, ...rest), `answer to ${method}`);
    }

    tell(method, params) {
        return this.link.sendNotification(method, params);
    }

    async start(capabilities = {}, options = undefined) {
        const answer = await this.ask('initialize', {
            processId: process.pid,
            rootUri: pathToFileURL(this.folder.root).href,
            workspaceFolders: [{uri: pathToFileURL(this.folder.root).href, name: 'work'}],
            capabilities,
            initializationOptions: options,
        });
        await this.tell('initialized', {});
        return answer;
    }

    open(name, text) {
        const uri = this.folder.uri(name);
        this.versions.set(uri, 1);
        return this.tell('textDocument/didOpen', {textDocument: {uri, languageId: 'yaml', version: 1, text}});
    }

    change(name, contentChanges) {
        const uri = this.folder.uri(name);
        this.versions.set(uri, this.versions.get(uri) + 1);
        return this.tell('textDocument/didChange',
            {textDocument: {uri, version: this.versions.get(uri)}, contentChanges});
    }

    // What is shown of a document, once that is of the text that it has now, and `enough` says so.
    diagnostics(name, enough = () => true) {
        const uri = this.folder.uri(name);
        const version = this.versions.get(uri);
        return within(new Promise((done) => {
            const look = () => {
                const shown = this.shown.get(uri);
                const current = shown !== undefined && (version === undefined || shown.version === version) &&
                    enough(shown.diagnostics);
                if (current) {
                    done(shown.diagnostics);
                }
                return current;
            };
            if (!look()) {
                this.waiting.push(look);
            }
        }), `diagnostics of ${name}`);
    }

    at(name, line, character) {
        return {textDocument: {uri: this.folder.uri(name)}, position: {line, character}};
    }

    async end() {
        await this.ask('shutdown');
        await this.tell('exit');
        return within(this.ended, 'end');
    }
}

// A text with `‸` where the cursor is, without it, and where that was.
export function cursor(marked) {
    const before = marked.slice(0, marked.indexOf('‸'));
    const lines = before.split('\n');
    return {text: marked.replace('‸', ''), line: lines.length - 1, character: lines.at(-1).length};
}

let failed = 0;
let passed = 0;

export function same(what, is, expected) {
    const left = JSON.stringify(is, null, 1);
    const right = JSON.stringify(expected, null, 1);
    if (left === right) {
        passed++;
        return;
    }
    failed++;
    console.log(`${what}: is\n${left}\nand not\n${right}`);
}

export function finish() {
    console.log(`${passed} as expected, ${failed} not`);
    process.exit(failed === 0 && passed > 0 ? 0 : 1);
}
