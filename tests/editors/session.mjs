// SPDX-License-Identifier: Apache-2.0
// One session after another, as editors have them. use: node session.mjs PDPCTL MODULES
import {Editor, Folder, cursor, finish, same} from './support.mjs';

const WEB = `apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
variables:
  hours: within(now, "Mon-Fri 07:00-19:00", "Europe/Berlin")
rules:
  - id: leavers
    effect: deny
    when: subject.id in lists.leavers
    reason: has left
  - id: payroll
    effect: step_up
    require: {strength: mfa}
    when: risk.level >= level("high") && vars.hours
  - {id: staff, effect: allow, when: '"staff" in subject.roles && counters.asks < 100'}
`;
const BASE = `apiVersion: pdp/v1
kind: Strengths
metadata: {name: proofs}
levels:
  - {name: password, proves: '"pwd" in session.amr'}
  - {name: mfa, proves: '"otp" in session.amr', ask: {acr_values: [aal2]}}
---
apiVersion: pdp/v1
kind: List
metadata: {name: leavers, version: 12}
type: string
entries: [mallory, eve]
---
apiVersion: pdp/v1
kind: Counter
metadata: {name: asks}
key: [subject.id]
window: 1h
---
apiVersion: pdp/v1
kind: Schema
metadata: {name: ours}
attributes:
  subject.roles: {type: [string], description: what the directory says}
  subject.rank: {enum: [junior, senior]}
---
apiVersion: pdp/v1
kind: Exception
metadata: {name: break-glass}
lifts: [web/leavers]
when: subject.id == "root"
require: {strength: mfa}
expires: 2030-01-01T00:00:00Z
`;
const FILES = {'policies/base.yaml': BASE, 'policies/web.yaml': WEB};
const WEB_NAME = 'policies/web.yaml';
const range = (line, from, to) => ({start: {line, character: from}, end: {line, character: to}});

async function opened(text = WEB, capabilities = {}) {
    const folder = new Folder(FILES);
    const editor = new Editor(folder);
    const answer = await editor.start(capabilities);
    await editor.open(WEB_NAME, text);
    return {folder, editor, answer};
}

async function closed({folder, editor}) {
    same('exit code', await editor.end(), 0);
    folder.drop();
}

// ---- lifecycle ---------------------------------------------------------------------------------------------

async function lifecycle() {
    const folder = new Folder(FILES);
    const editor = new Editor(folder);
    const early = await editor.ask('textDocument/hover', editor.at(WEB_NAME, 0, 0)).catch((error) => error);
    same('before initialize', [early.code, early.message], [-32002, '`initialize` comes first']);
    const answer = await editor.start({general: {positionEncodings: ['utf-32', 'utf-8', 'utf-16']}});
    same('initialize', answer.serverInfo.name, 'pdpctl');
    same('encoding', answer.capabilities.positionEncoding, 'utf-8');
    same('sync', answer.capabilities.textDocumentSync, {openClose: true, change: 2, save: true});
    const again = await editor.ask('initialize', {capabilities: {}}).catch((error) => error);
    same('initialize twice', again.code, -32600);
    const unknown = await editor.ask('textDocument/nothing', {}).catch((error) => error);
    same('unknown method', [unknown.code, unknown.message], [-32601, 'no such method']);
    await editor.tell('textDocument/nothing', {});
    const lost = await editor.ask('textDocument/hover', editor.at('nowhere.yaml', 0, 0)).catch((error) => error);
    same('not open', [lost.code, lost.message], [-32602, 'the document is not open']);
    await editor.ask('shutdown');
    const late = await editor.ask('textDocument/hover', editor.at(WEB_NAME, 0, 0)).catch((error) => error);
    same('after shutdown', late.code, -32600);
    await editor.tell('exit');
    same('exit after shutdown', await editor.ended, 0);
    folder.drop();
}

async function exits() {
    const folder = new Folder(FILES);
    const without = new Editor(folder);
    await without.start();
    await without.tell('exit');
    same('exit without shutdown', await without.ended, 1);
    const broken = new Editor(folder);
    let errors = [];
    broken.link.onError(([error]) => errors.push(error));
    broken.child.stdin.write('Content-Length: many\r\n\r\n{}');
    same('a broken header', await broken.ended, 1);
    folder.drop();
}

// ---- diagnostics -------------------------------------------------------------------------------------------

async function diagnostics() {
    const stage = await opened();
    same('good', await stage.editor.diagnostics(WEB_NAME), []);
    // `subject.id` becomes `subject.idd`, in front of it a letter that UTF-16 counts twice
    await stage.editor.change(WEB_NAME, [{range: range(9, 12, 20), text: '𝔥as left'}]);
    await stage.editor.change(WEB_NAME, [{range: range(13, 10, 20), text: 'risk.levle'}]);
    same('an unknown attribute', await stage.editor.diagnostics(WEB_NAME), [{
        range: range(13, 10, 20), severity: 1, source: 'pdpctl',
        message: 'there is no attribute `risk.levle`\nhint: did you mean `risk.level`?', code: 'UNKNOWN',
    }]);
    await stage.editor.change(WEB_NAME, [{text: WEB}]);
    same('mended', await stage.editor.diagnostics(WEB_NAME), []);
    await stage.editor.change(WEB_NAME, [{range: range(14, 0, 0), text: '  - {id: a𝔥, effect: allow, when: "tru"}\n'}]);
    same('behind a letter of two units', (await stage.editor.diagnostics(WEB_NAME)).map((one) => [one.range, one.message]), [
        [range(14, 9, 12), '`id` must be a name, but is `a𝔥`\nhint: a name starts with a letter and holds letters, digits, ' +
            '`-`, `_` and `.`, at most 128'],
        [range(14, 36, 39), 'there is no attribute `tru`'],
    ]);
    await closed(stage);
}

async function bytes() {
    const stage = await opened(WEB.replace("'\"staff\" in", "'\"stäff𝔥\" im"), {general: {positionEncodings: ['utf-8', 'utf-16']}});
    same('positions in bytes', stage.answer.capabilities.positionEncoding, 'utf-8');
    const [one] = await stage.editor.diagnostics(WEB_NAME);
    // behind 38 characters of one byte stands `"stäff𝔥" `, of 13 bytes
    same('a range in bytes', [one.range.start, one.code], [{line: 14, character: 51}, 'SYNTAX']);
    await closed(stage);
}

async function untitled() {
    const folder = new Folder(FILES);
    const editor = new Editor(folder);
    await editor.start();
    const uri = 'untitled:Untitled-1';
    await editor.tell('textDocument/didOpen', {textDocument: {uri, languageId: 'yaml', version: 1, text: 'kind: Sco'}});
    const answer = await editor.ask('textDocument/completion', {textDocument: {uri}, position: {line: 0, character: 9}});
    same('a document that is no file', answer.items.map((item) => item.label), ['Scope']);
    await editor.tell('textDocument/didClose', {textDocument: {uri}});
    same('exit code', await editor.end(), 0);
    folder.drop();
}

async function overlay() {
    const stage = await opened();
    same('good', await stage.editor.diagnostics(WEB_NAME), []);
    // the list is renamed in a buffer that is not saved: another document is wrong by it
    await stage.editor.open('policies/base.yaml', BASE.replace('name: leavers', 'name: gone'));
    await stage.editor.change(WEB_NAME, [{text: WEB}]);
    same('a list is gone', (await stage.editor.diagnostics(WEB_NAME)).map((one) => one.message),
        ['there is no list `lists.leavers`']);
    await stage.editor.tell('textDocument/didClose', {textDocument: {uri: stage.folder.uri('policies/base.yaml')}});
    await stage.editor.change(WEB_NAME, [{text: WEB}]);
    same('the file counts again', await stage.editor.diagnostics(WEB_NAME), []);
    // a file changes on disk
    stage.folder.write('policies/base.yaml', BASE.replace('name: leavers', 'name: lost'));
    await stage.editor.tell('workspace/didChangeWatchedFiles',
        {changes: [{uri: stage.folder.uri('policies/base.yaml'), type: 2}]});
    await stage.editor.change(WEB_NAME, [{text: WEB}]);
    same('changed on disk', (await stage.editor.diagnostics(WEB_NAME)).length, 1);
    await closed(stage);
}

// ---- completion --------------------------------------------------------------------------------------------

async function complete(marked, what, pick, expected) {
    const {text, line, character} = cursor(marked);
    const stage = await opened(text);
    const answer = await stage.editor.ask('textDocument/completion', stage.editor.at(WEB_NAME, line, character));
    same(what, pick(answer.items), expected);
    await closed(stage);
}

const labels = (items) => items.map((item) => item.label);
const details = (items) => items.map((item) => [item.label, item.detail ?? '']);
const rule = (line) => WEB + line;

async function completion() {
    await complete(rule('  - id: x\n    effect: deny\n    when: risk.s‸'), 'attributes', (items) => items, [{
        label: 'score', kind: 5,
        textEdit: {range: range(17, 15, 16), newText: 'score'}, detail: 'double',
        documentation: 'the risk of the question, 0 to 100\nfrom the risk model\nmissing: where it may not be read: ' +
            'in a RiskModel, in counters and in Scopes, which are asked before',
    }, {
        label: 'signals', kind: 5,
        textEdit: {range: range(17, 15, 16), newText: 'signals'}, detail: 'map',
        documentation: 'the evidence of each signal, by its id\nfrom the risk model\nmissing: where it may not be read: ' +
            'in a RiskModel, in counters and in Scopes, which are asked before',
    }]);
    await complete(rule('  - id: x\n    when: subject.r‸'), 'a Schema', details,
        [['roles', '[string]'], ['rank', 'one of [junior, senior]']]);
    await complete(rule('  - id: x\n    when: subject.id in lists.‸'), 'lists', details,
        [['leavers', 'string, 2 entries, version 12']]);
    await complete(rule('  - id: x\n    when: vars.‸'), 'variables', details,
        [['hours', 'within(now, "Mon-Fri 07:00-19:00", "Europe/Berlin")']]);
    await complete(rule('  - id: x\n    when: counters.‸'), 'counters', details,
        [['asks', 'double, in the last 1h by [subject.id]']]);
    await complete(rule('  - id: x\n    when: risk.level >= level("‸'), 'levels', labels, ['low', 'medium', 'high', 'critical']);
    await complete(rule("  - {id: x, effect: deny, when: 'session.amr == [] || strength(\"‸"), 'strengths', labels,
        ['password', 'mfa']);
    await complete(rule('  - id: x\n    when: subject.rank == "‸'), 'values of a Schema', labels, ['junior', 'senior']);
    await complete(rule('  - id: x\n    when: subject.id.start‸'), 'members of text', (items) => items.map((item) =>
        [item.label, item.detail, item.documentation]),
    [['startsWith', 'string.startsWith(string): bool', 'does the text begin with the other one?']]);
    await complete(rule('  - id: x\n    when: subject.roles.ex‸'), 'members of a list', labels,
        ['exists', 'exists_one', 'existsOne']);
    await complete(rule('  - id: x\n    when: subject.groups.exists(g, g.ends‸'), 'members of a variable', labels, ['endsWith']);
    await complete(rule('  - id: x\n    when: math.bit‸'), 'functions by name', labels,
        ['bitAnd', 'bitOr', 'bitXor', 'bitNot', 'bitShiftLeft', 'bitShiftRight']);
    await complete(rule('  - id: x\n    when:\n      any:\n        - with‸'), 'functions in a list of conditions', details,
        [['within', 'within(timestamp, string): bool (+1)']]);
    await complete(rule('  - id: x\n    eff‸'), 'a key', (items) => items.map((item) =>
        [item.label, item.detail, item.documentation, item.textEdit.newText]),
    [['effect', 'choice, required', 'what it asks for', 'effect: ']]);
    await complete(rule('  - id: x\n    effect: ‸'), 'a choice', labels, ['deny', 'allow', 'step_up', 'terminate']);
    await complete(rule('  - id: x\n    effect:‸'), 'right behind the colon', (items) => items.map((item) => item.textEdit.newText),
        [' deny', ' allow', ' step_up', ' terminate']);
    await complete(rule('  - id: x\n    require: {‸'), 'keys in braces', labels, ['strength', 'max_age']);
    await complete(rule('  - id: x\n    require: {strength: m‸'), 'a strength by key', labels, ['mfa']);
    await complete(rule('  - id: x\n    require:\n      strength: ‸'), 'a strength below', labels, ['password', 'mfa']);
    await complete(rule('  - id: x\n    when:\n      a‸'), 'conditions as a map, or an expression', labels, ['all', 'any', 'action']);
    await complete(`${WEB}---\napiVersion: pdp/v1\nkind: Exc‸`, 'kinds', labels, ['Exception']);
    await complete(`${WEB}---\na‸`, 'a new document', labels, ['apiVersion']);
    await complete(`${WEB}---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: x}\nlifts: [‸`, 'rules', details,
        [['web/leavers', 'deny: has left'], ['web/payroll', 'step_up'], ['web/staff', 'allow']]);
    await complete(WEB.replace('hours: within', 'late: "now.get‸" # '), 'in quotes, with broken lines below', labels,
        ['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear', 'getHours',
            'getMinutes', 'getSeconds', 'getMilliseconds']);
    await complete(rule('  # risk.‸'), 'a comment', labels, []);
}

// ---- hover and definition ----------------------------------------------------------------------------------

async function hover() {
    const stage = await opened(WEB, {textDocument: {hover: {contentFormat: ['markdown', 'plaintext']}}});
    const shown = async (line, character) => {
        const answer = await stage.editor.ask('textDocument/hover', stage.editor.at(WEB_NAME, line, character));
        return answer === null ? null : [answer.contents.kind, answer.contents.value, answer.range];
    };
    same('an attribute', await shown(13, 17), ['markdown', '**risk.level**: `level`\n\n' +
        'the level of its score, to compare with `level("high")`\n\nfrom: the risk model\n\n' +
        'missing: where it may not be read: in a RiskModel, in counters and in Scopes, which are asked before',
    range(13, 10, 20)]);
    same('a root', await shown(13, 11), ['markdown', '**risk**\n\nthe score of the question and what it is made of\n\n' +
        'from: the risk model\n\nmissing: where it may not be read: in a RiskModel, in counters and in Scopes, which are asked before',
    range(13, 10, 14)]);
    same('a function', await shown(4, 12), ['markdown', '`within(timestamp, string): bool`  \n' +
        '`within(timestamp, string, string): bool`\n\nis the time in these hours, such as `Mon-Fri 07:00-19:00`, of a ' +
        'zone or UTC? Tells how long the answer holds', range(4, 9, 15)]);
    same('a list', await shown(8, 32), ['markdown', 'list **leavers**\n\nstring, 2 entries, version 12', range(8, 24, 37)]);
    same('a variable', await shown(13, 45), ['markdown', 'variable **hours**\n\n' +
        '`within(now, "Mon-Fri 07:00-19:00", "Europe/Berlin")`\n\ntype: `bool`', range(13, 41, 51)]);
    same('a counter', await shown(14, 72), ['markdown', 'counter **asks**\n\ndouble, in the last 1h by [subject.id]',
        range(14, 66, 79)]);
    same('an attribute of a Schema', await shown(14, 58), ['markdown', 'attribute **subject.roles**\n\n[string]\n\n' +
        'description: `what the directory says`', range(14, 49, 62)]);
    same('a strength', await shown(12, 26), ['markdown', 'strength **mfa**\n\nproved by "otp" in session.amr\n\n' +
        'ask: `{acr_values: [aal2]}`', range(12, 24, 27)]);
    same('a key', await shown(7, 6), ['markdown', '**effect** (required)\n\nwhat it asks for\n\n`deny`, `allow`, ' +
        '`step_up`, `terminate`', range(7, 4, 10)]);
    same('nothing', await shown(9, 20), null);
    await closed(stage);
}

async function definition() {
    const stage = await opened();
    await stage.editor.open('policies/base.yaml', BASE);
    const found = async (name, line, character) => {
        const answer = await stage.editor.ask('textDocument/definition', stage.editor.at(name, line, character));
        return answer === null ? null : [answer.uri === stage.folder.uri(WEB_NAME) ? 'web' : 'base', answer.range];
    };
    same('a list', await found(WEB_NAME, 8, 32), ['base', range(9, 17, 24)]);
    same('a variable', await found(WEB_NAME, 13, 47), ['web', range(4, 2, 7)]);
    same('a strength', await found(WEB_NAME, 12, 25), ['base', range(5, 11, 14)]);
    same('a counter', await found(WEB_NAME, 14, 76), ['base', range(15, 17, 21)]);
    same('an attribute', await found(WEB_NAME, 14, 58), ['base', range(23, 2, 15)]);
    same('a rule', await found('policies/base.yaml', 29, 12), ['web', range(6, 8, 15)]);
    same('none', await found(WEB_NAME, 9, 14), null);
    const uses = await stage.editor.ask('textDocument/references',
        {...stage.editor.at('policies/base.yaml', 5, 12), context: {includeDeclaration: true}});
    same('who uses a strength', uses.map((one) => [one.uri === stage.folder.uri(WEB_NAME) ? 'web' : 'base', one.range]), [
        ['base', range(5, 11, 14)], ['base', range(31, 20, 23)], ['web', range(12, 24, 27)]]);
    await closed(stage);
}

async function symbols() {
    const stage = await opened();
    const list = await stage.editor.ask('textDocument/documentSymbol', {textDocument: {uri: stage.folder.uri(WEB_NAME)}});
    same('symbols', list.map((one) => [one.name, one.kind, one.children.map((child) => [child.name, child.detail])]), [
        ['web', 5, [['hours', 'within(now, "Mon-Fri 07:00-19:00", "Europe/Berlin")'], ['leavers', 'deny: has left'],
            ['payroll', 'step_up'], ['staff', 'allow']]]]);
    await closed(stage);
}

async function actions() {
    const stage = await opened(WEB.replace('risk.level', 'risk.levle'));
    const mistakes = await stage.editor.diagnostics(WEB_NAME);
    const uri = stage.folder.uri(WEB_NAME);
    const list = await stage.editor.ask('textDocument/codeAction',
        {textDocument: {uri}, range: mistakes[0].range, context: {diagnostics: mistakes}});
    same('a mend', list.map((one) => [one.title, one.edit.changes[uri]]), [['replace `risk.levle` by `risk.level`',
        [{range: range(13, 10, 20), newText: 'risk.level'}]]]);
    await closed(stage);
}

// What lint finds is shown once the folder compiles, and can be silenced.
async function findings() {
    const stage = await opened(WEB.replace('lists.leavers', 'lists.leavers && !(subject.id in lists.leavers)'));
    const found = await stage.editor.diagnostics(WEB_NAME);
    same('a finding', found.map(({severity, code, message}) => [severity, code, message.split('\n')[0]]),
        [[2, 'L01', 'rule `web/leavers` can never hold: `!(subject.id in lists.leavers)` is never true where the rest holds; ' +
            'where it is unsure it still denies']]);
    const uri = stage.folder.uri(WEB_NAME);
    const list = await stage.editor.ask('textDocument/codeAction',
        {textDocument: {uri}, range: found[0].range, context: {diagnostics: found}});
    same('a silence', list.map((one) => one.title), ['silence L01 here']);
    await stage.editor.change(WEB_NAME, list[0].edit.changes[uri].map(({range, newText}) => ({range, text: newText})));
    same('silenced', await stage.editor.diagnostics(WEB_NAME), []);
    await closed(stage);
}

const parts = {findings, lifecycle, exits, diagnostics, bytes, untitled, overlay, completion, hover, definition, symbols, actions};
for (const [name, run] of Object.entries(parts)) {
    try {
        await run();
    } catch (error) {
        same(name, String(error.stack), '');
    }
}
finish();
