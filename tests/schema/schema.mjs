// SPDX-License-Identifier: Apache-2.0
// `pdpctl schema` by another's validator: what our readers take is taken, and of what they refuse for its shape all that
// refused.txt names. use: schema.mjs FOLDER-OF-NPM SCHEMA ROOT [--accept]
import { createRequire } from 'node:module';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const [npm, schemaFile, root, accept] = process.argv.slice(2);
const require = createRequire(resolve(npm, 'package.json'));
const Ajv = require('ajv/dist/2020').default;
const YAML = require('yaml');

const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
let bad = 0;

function fail(what) {
  bad++;
  console.log(what);
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : /\.ya?ml$/.test(entry.name) ? [path] : [];
  });
}

// Documents as an editor's language server sees them; null where the text is no YAML for it.
function documents(text) {
  if (text.length > 30000) return null; // brackets by the thousand are too much for it
  const all = YAML.parseAllDocuments(text);
  return all.some((one) => one.errors.length > 0) ? null : all.map((one) => one.toJS()).filter((one) => one !== null);
}

// What is wrong with one document, or nothing.
function mistakes(document) {
  return validate(document) ? '' : ajv.errorsText(validate.errors, { separator: '; ' }).slice(0, 400);
}

let taken = 0;
function wantGood(name, text) {
  for (const [at, document] of (documents(text) ?? [undefined]).entries()) {
    const wrong = document === undefined ? 'no YAML' : mistakes(document);
    taken++;
    if (wrong) fail(`${name}, document ${at + 1}: refused, but our reader takes it: ${wrong}`);
  }
}

for (const folder of ['policies', 'tests/cases/verdicts', 'tests/cases/searches']) {
  for (const file of filesBelow(join(root, folder))) wantGood(relative(root, file), readFileSync(file, 'utf8'));
}
// Complete documents of the pages; mistakes that pages show are in tests/cases/docs.
for (const page of readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))) {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  for (const block of text.matchAll(/^```yaml\n(apiVersion:[^]*?)^```/gm)) wantGood(`docs/${page}`, block[1]);
}

const folders = join(root, 'tests/cases/folders');
const refused = readdirSync(folders).filter((name) =>
  filesBelow(join(folders, name)).some((file) => {
    const all = documents(readFileSync(file, 'utf8'));
    return all !== null && all.some((document) => mistakes(document));
  }),
);
const list = join(root, 'tests/schema/refused.txt');
if (accept) {
  const head = readFileSync(list, 'utf8').split('\n').filter((line) => line.startsWith('#'));
  writeFileSync(list, [...head, ...refused].join('\n') + '\n');
}
const wanted = readFileSync(list, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
for (const name of wanted) if (!refused.includes(name)) fail(`tests/cases/folders/${name} is taken, and refused.txt names it`);
for (const name of refused) if (!wanted.includes(name)) fail(`tests/cases/folders/${name} is refused, and refused.txt does not name it`);
if (refused.length < 60) fail(`only ${refused.length} folders are refused`);
if (taken < 60) fail(`only ${taken} good documents were found`);
console.log(`${taken} documents are taken, ${refused.length} of ${readdirSync(folders).length} folders with mistakes refused`);
process.exit(bad ? 1 : 0);
