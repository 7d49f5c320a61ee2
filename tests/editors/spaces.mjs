// SPDX-License-Identifier: Apache-2.0
// Which folder a document belongs to, tests beside policies, formatting, rude messages, and the extension for VS Code.
// use: node spaces.mjs PDPCTL MODULES
import {spawnSync} from 'node:child_process';
import {openSync, readFileSync, symlinkSync} from 'node:fs';
import Module, {createRequire} from 'node:module';
import {Editor, Folder, cursor, finish, modules, program, same} from './support.mjs';

const policy = (name, when = 'subject.id == "a"') =>
    `apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: ${name}}\nrules:\n  - {id: one, effect: allow, when: '${when}'}\n`;
const LIST = 'apiVersion: pdp/v1\nkind: List\nmetadata: {name: staff}\ntype: string\nentries: [a]\n';
const TEST = `apiVersion: pdp/v1
kind: Test
metadata: {name: who}
now: 2026-11-23T09:00:00Z
given:
  alice: {subject: {type: user, id: a}}
  news: {resource: {type: route, id: /news}, action: {name: GET}}
cases:
  - name: staff reads
    with: [alice, news]
    expect: {effect: allow, rule: web/one}
`;
const messages = (list) => list.map((one) => one.message.split('\n')[0]);

async function stage(files, name, text = files[name], options = undefined) {
    const folder = new Folder(files);
    const editor = new Editor(folder);
    await editor.start({}, options);
    await editor.open(name, text);
    return {folder, editor};
}

async function close({folder, editor}) {
    same('exit code', await editor.end(), 0);
    folder.drop();
}

// Does a name that another document defines mean something in this one?
async function sees(what, files, name, expected, options) {
    const it = await stage(files, name, files[name], options);
    same(what, messages(await it.editor.diagnostics(name)), expected);
    await close(it);
}

async function folders() {
    const uses = policy('web', 'subject.id in lists.staff');
    const lost = ['there is no list `lists.staff`'];
    await sees('one folder', {'p/web.yaml': uses, 'p/list.yaml': LIST}, 'p/web.yaml', []);
    await sees('a folder below one that holds documents', {'p/team/web.yaml': uses, 'p/list.yaml': LIST}, 'p/team/web.yaml', []);
    await sees('a folder between them holds none', {'p/a/b/web.yaml': uses, 'p/list.yaml': LIST}, 'p/a/b/web.yaml', lost);
    await sees('but for a mark', {'p/a/b/web.yaml': uses, 'p/list.yaml': LIST, 'p/.pdp-policies': ''}, 'p/a/b/web.yaml', []);
    await sees('or the settings', {'p/a/b/web.yaml': uses, 'p/list.yaml': LIST}, 'p/a/b/web.yaml', [], {folders: ['p/']});
    await sees('other YAML beside', {'list.yaml': LIST, 'p/web.yaml': policy('web'), 'p/x/compose.yml': 'services: {}\n'}, 'p/web.yaml',
        []);
    const other = await stage({'a/compose.yaml': 'services: {a: [}\n', 'p/web.yaml': policy('web')}, 'a/compose.yaml');
    await other.editor.open('p/web.yaml', policy('web', 'x'));
    same('a policy', messages(await other.editor.diagnostics('p/web.yaml')), ['there is no attribute `x`']);
    same('other YAML is left alone', other.editor.shown.has(other.folder.uri('a/compose.yaml')), false);
    same('nor formatted', await other.editor.ask('textDocument/formatting',
        {textDocument: {uri: other.folder.uri('a/compose.yaml')}, options: {tabSize: 2, insertSpaces: true}}), null);
    await close(other);
    const fresh = await stage({'p/.keep': ''}, 'p/new.yaml', '');
    await fresh.editor.change('p/new.yaml', [{text: policy('web', 'x')}]);
    same('a new file becomes a policy', messages(await fresh.editor.diagnostics('p/new.yaml')), ['there is no attribute `x`']);
    await close(fresh);
}

async function gone() {
    const it = await stage({'p/web.yaml': policy('web'), 'p/bad.yaml': policy('bad', 'x')}, 'p/web.yaml');
    await it.editor.diagnostics('p/web.yaml');
    same('of a file that is not open', messages(await it.editor.diagnostics('p/bad.yaml')), ['there is no attribute `x`']);
    it.folder.remove('p/bad.yaml');
    await it.editor.tell('workspace/didChangeWatchedFiles', {changes: [{uri: it.folder.uri('p/bad.yaml'), type: 3}]});
    await it.editor.change('p/web.yaml', [{text: policy('web')}]);
    same('the file is gone', await it.editor.diagnostics('p/bad.yaml', (list) => list.length === 0), []);
    await close(it);
}

async function lost() {
    const it = await stage({'p/web.yaml': policy('web'), 'other/x': ''}, 'p/web.yaml');
    symlinkSync(`${it.folder.root}/other`, `${it.folder.root}/p/link.yaml`);
    await it.editor.tell('workspace/didChangeWatchedFiles', {changes: [{uri: it.folder.uri('p/link.yaml'), type: 1}]});
    const why = ['cannot be read: it is no plain file of 4 MiB at most, or may not be read'];
    same('what cannot be read', messages(await it.editor.diagnostics('p/link.yaml')), why);
    await it.editor.change('p/web.yaml', [{text: policy('web', 'x')}]); // another look, and it is still there
    same('of another file', messages(await it.editor.diagnostics('p/web.yaml', (list) => list.length > 0)), ['there is no attribute `x`']);
    await it.editor.ask('textDocument/hover', it.editor.at('p/web.yaml', 0, 0));
    same('it stays', messages([...it.editor.shown.get(it.folder.uri('p/link.yaml')).diagnostics]), why);
    await close(it);
}

// ---- tests beside policies ---------------------------------------------------------------------------------

async function tests() {
    const files = {'p/web.yaml': policy('web'), 'p/web_test.yaml': TEST};
    const name = 'p/web_test.yaml';
    const it = await stage(files, name);
    same('good', messages(await it.editor.diagnostics(name)), []);
    await it.editor.change(name, [{text: TEST.replace('web/one', 'web/two').replace('[alice,', '[alicia,')}]);
    same('a fixture that is not there', messages(await it.editor.diagnostics(name)), ['`given` has no fixture `alicia`']);
    await it.editor.change(name, [{text: TEST.replace('web/one', 'web/two')}]);
    same('a rule that is not there', messages(await it.editor.diagnostics(name)), ['the policies have no rule `web/two`']);
    const labels = async (marked) => {
        const {text, line, character} = cursor(marked);
        await it.editor.change(name, [{text}]);
        return (await it.editor.ask('textDocument/completion', it.editor.at(name, line, character))).items.map((item) => item.label);
    };
    same('fixtures', await labels(TEST.replace('[alice, news]', '[alice, ‸')), ['alice', 'news']);
    same('rules', await labels(TEST.replace('web/one', '‸')), ['web/one']);
    same('effects', await labels(TEST.replace('{effect: allow,', '{effect: st‸,')), ['step_up']);
    same('keys of a case', await labels(TEST.replace('    expect:', '    exp‸')), ['expect']);
    same('signals', await labels(TEST.replace('rule: web/one', 'signals: {imposs‸')), ['impossible-travel']);
    await it.editor.change(name, [{text: TEST}]);
    const there = await it.editor.ask('textDocument/definition', it.editor.at(name, 9, 12));
    same('to a fixture', there.range.start, {line: 5, character: 2});
    const rule = await it.editor.ask('textDocument/definition', it.editor.at(name, 10, 38));
    same('to a rule', [rule.uri === it.folder.uri('p/web.yaml'), rule.range.start], [true, {line: 4, character: 9}]);
    await close(it);
    await sees('a folder of tests alone', {'s/web_test.yaml': TEST}, 's/web_test.yaml', []);
    await sees('whatever they are called', {'s/web.yaml': TEST, 's/half.yaml': 'apiVersion: pdp/v1\nkind: Sce'}, 's/web.yaml', []);
    await sees('but not among policies', {'s/web.yaml': TEST, 's/policy.yaml': policy('web')}, 's/web.yaml',
        ['a `Test` stands among policies']);
}

async function formatting() {
    const loose = policy('web').replace("rules:\n  - {", "rules:\n    -   {").replace('kind: Policy', 'kind:   Policy # of the web');
    const it = await stage({'p/web.yaml': loose}, 'p/web.yaml');
    const ask = () => it.editor.ask('textDocument/formatting',
        {textDocument: {uri: it.folder.uri('p/web.yaml')}, options: {tabSize: 2, insertSpaces: true}});
    const edits = await ask();
    same('one edit, of the lines that differ', edits.map((edit) => edit.range),
        [{start: {line: 1, character: 0}, end: {line: 5, character: 0}}]);
    await it.editor.change('p/web.yaml', edits.map(({range, newText}) => ({range, text: newText})));
    same('formatted', messages(await it.editor.diagnostics('p/web.yaml')), []);
    same('once more', await ask(), []);
    await it.editor.change('p/web.yaml', [{text: 'kind: [\n'}]);
    same('what is broken is left', await ask(), null);
    await close(it);
}

// ---- rude messages -----------------------------------------------------------------------------------------

const frame = (text) => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

async function rude() {
    const it = await stage({'p/web.yaml': policy('web')}, 'p/web.yaml');
    const nobody = [];
    it.editor.link.onUnhandledNotification(() => {});
    it.editor.link.onError(([error]) => nobody.push(error.message));
    for (const text of ['{"jsonrpc":', '[]', '{}', '"x"', 'null']) {
        it.editor.child.stdin.write(frame(text));
    }
    it.editor.child.stdin.write(`Content-Length: ${33 << 20}\r\n\r\n`);
    const piece = 'x'.repeat(1 << 20);
    for (let i = 0; i < 33; i++) {
        it.editor.child.stdin.write(piece);
    }
    same('it still answers', (await it.editor.ask('textDocument/documentSymbol',
        {textDocument: {uri: it.folder.uri('p/web.yaml')}})).length, 1);
    const odd = await it.editor.ask('textDocument/hover', [1, null]).catch((error) => error);
    same('odd parameters', odd.code, -32602);
    // both arrive at once, so that the request waits when it is taken back
    const hover = JSON.stringify({jsonrpc: '2.0', id: 'mine', method: 'textDocument/hover', params: {}});
    const back = JSON.stringify({jsonrpc: '2.0', method: '$/cancelRequest', params: {id: 'mine'}});
    const answered = new Promise((done) => it.editor.child.stdout.on('data', (data) => {
        const found = /\{"jsonrpc":"2.0","id":"mine".*?\}\}/.exec(String(data));
        if (found) {
            done(JSON.parse(found[0]).error.code);
        }
    }));
    it.editor.child.stdin.write(frame(hover) + frame(back));
    same('cancelled', await answered, -32800);
    await close(it);
}

// An editor that is far ahead, as a file is that is read: no edit is lost, and what is asked last is answered.
async function ahead() {
    const text = policy('web'), at = {line: text.split('\n').length - 1, character: 0};
    const folder = new Folder({'p/web.yaml': text});
    const uri = folder.uri('p/web.yaml');
    const all = [];
    const say = (method, params, id) => all.push(frame(JSON.stringify({jsonrpc: '2.0', id, method, params})));
    say('initialize', {capabilities: {}, rootUri: folder.uri('')}, 1);
    say('textDocument/didOpen', {textDocument: {uri, languageId: 'yaml', version: 1, text}});
    for (let i = 0; i < 20000; i++) {
        say('textDocument/didChange', {textDocument: {uri, version: i + 2}, contentChanges: [{range: {start: at, end: at}, text: '#'}]});
    }
    say('textDocument/formatting', {textDocument: {uri}, options: {tabSize: 2, insertSpaces: true}}, 2);
    say('shutdown', null, 3);
    say('exit');
    folder.write('said', all.join(''));
    const {status, stdout} = spawnSync(program, ['lsp'], {stdio: [openSync(`${folder.root}/said`), 'pipe', 'inherit'], timeout: 60000});
    const answer = /\{"jsonrpc":"2.0","id":2.*?"end":(\{.*?\})/.exec(String(stdout));
    same('no edit is lost', [status, JSON.parse(answer?.[1] ?? '0')], [0, {line: at.line, character: 20000}]);
    folder.drop();
}

// ---- the extension -----------------------------------------------------------------------------------------

// The extension as VS Code would load it, with stand-ins for what VS Code and its client library give.
async function extension() {
    const root = new URL('../../docs/examples/vscode/', import.meta.url);
    const manifest = JSON.parse(readFileSync(new URL('package.json', root)));
    const defaults = Object.fromEntries(Object.entries(manifest.contributes.configuration.properties)
        .map(([name, property]) => [name.replace('pdp.', ''), property.default]));
    let made;
    const stand = {
        vscode: {workspace: {getConfiguration: () => ({get: (name) => defaults[name]})}},
        'vscode-languageclient/node': {LanguageClient: class {
            constructor(...rest) { made = rest; }
            start() { return Promise.resolve(); }
            stop() { return Promise.resolve('stopped'); }
        }},
    };
    const load = Module._load;
    Module._load = (name, ...rest) => stand[name] ?? load(name, ...rest);
    const own = createRequire(import.meta.url)(new URL(manifest.main, root).pathname);
    await own.activate();
    Module._load = load;
    same('what it starts', made[2], {command: 'pdpctl', args: ['lsp']});
    same('for what', made[3], {documentSelector: [{scheme: 'file', language: 'yaml'}], initializationOptions: {folders: []}});
    same('and ends', await own.deactivate(), 'stopped');
    same('the language', manifest.activationEvents, ['onLanguage:yaml']);
    same('the program is there', [program.endsWith('pdpctl'), modules.length > 0], [true, true]);
}

const parts = {folders, gone, lost, tests, formatting, rude, ahead, extension};
for (const [name, run] of Object.entries(parts)) {
    try {
        await run();
    } catch (error) {
        same(name, String(error.stack), '');
    }
}
finish();
