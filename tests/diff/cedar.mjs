// SPDX-License-Identifier: Apache-2.0
// A third voter: Cedar on the conditions that both languages can say. use: node cedar.mjs FOLDER <cases
// FOLDER holds node_modules with @cedar-policy/cedar-wasm; cases are those of cedar_cases, one rule set a line.
//
// What must hold for every rule and question, where Cedar says that a rule is satisfied, not satisfied, or an error,
// and we say yes, no or unsure:
//   1. without an error there, both say the same (so nothing is unsure here that is sure there);
//   2. where it is an error there and sure here (`false && x` on either side), then the sure value is right: however
//      the attribute that is missing turns out, Cedar says that value (rules that ask `has` ask for just that);
//   3. our verdict is that of the rules' truths with unsure forbids counted as deny, Cedar's is that of its own with errors
//      skipped, and the deciding rules are the same wherever no rule is an error.
// Hence verdicts differ only where a rule of the question is an error for Cedar, which is the documented difference.
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import {resolve} from 'node:path';

const cedar = createRequire(resolve(process.argv[2], 'package.json'))('@cedar-policy/cedar-wasm/nodejs');
const count = {cases: 0, rules: 0, errors: 0, unsure: 0, absorbed: 0, filled: 0, allow: 0, deny: 0, different: 0};
let wrong = 0;

function fail(set, question, what) {
    wrong++;
    if (wrong <= 5) {
        console.log(`difference: ${what}`);
        set.rules.forEach((rule, i) => console.log(`  r${i} ${question.truths[i]}: ${rule.ours}\n       ${rule.cedar}`));
        console.log(`  ${JSON.stringify(question)}`);
    }
}

function must(answer, what) {
    if (answer.type !== 'success') {
        throw new Error(`${what}: ${JSON.stringify(answer.errors)}`);
    }
    return answer;
}

function prepare(id, rules) {
    const policies = Object.fromEntries(rules.map((text, i) => [`r${i}`, text]));
    must(cedar.preparsePolicySet(id, {staticPolicies: policies}), rules.join('\n'));
}

function ask(id, question, roots) {
    const principal = {type: question.type, id: 'p'}, resource = {type: 'Route', id: question.path};
    const entities = [{uid: principal, attrs: roots[0], parents: []}, {uid: resource, attrs: roots[1], parents: []}];
    const action = {type: 'Action', id: question.action};
    return must(cedar.statefulIsAuthorized({preparsedPolicySetId: id, principal, action, resource, context: roots[2], entities}),
                JSON.stringify(question)).response;
}

const numbers = (ids) => ids.map((id) => Number(id.slice(1))).sort((a, b) => a - b);

// Every rule as a permit, so that all that hold are told: y, n, or u for an error.
function votes(set, question, roots) {
    const {reason, errors} = ask('votes', question, roots).diagnostics;
    const held = new Set(numbers(reason)), erred = new Set(numbers(errors.map((e) => e.policyId)));
    return set.rules.map((_, i) => erred.has(i) ? 'u' : held.has(i) ? 'y' : 'n');
}

function verdict(set, truths, unsureForbids) {
    const holds = (i) => truths[i] === 'y' || (truths[i] === 'u' && unsureForbids && set.rules[i].forbids);
    const held = set.rules.map((_, i) => i).filter(holds);
    const forbids = held.filter((i) => set.rules[i].forbids);
    return forbids.length > 0 ? ['deny', forbids] : held.length > 0 ? ['allow', held] : ['deny', []];
}

function judgeRule(set, i, question, theirs) {
    const ours = question.truths[i];
    count.rules++;
    count.errors += theirs === 'u';
    count.unsure += ours === 'u';
    if (theirs !== 'u') {
        return ours === theirs || fail(set, question, `r${i} is ${ours} here and ${theirs} for Cedar`);
    }
    if (ours === 'u') {
        return true;
    }
    count.absorbed++;
    for (const roots of set.rules[i].has ? [] : question.fills) {
        const filled = votes(set, question, roots)[i];
        count.filled += filled !== 'u';
        if (filled !== 'u' && filled !== ours) {
            fail(set, question, `r${i} is ${ours} here, and could turn out ${filled}: ${JSON.stringify(roots)}`);
        }
    }
    return true;
}

function judge(set, question) {
    const response = ask('all', question, question.roots);
    const decided = numbers(response.diagnostics.reason);
    const theirs = votes(set, question, question.roots);
    theirs.forEach((truth, i) => judgeRule(set, i, question, truth));
    const [want, by] = verdict(set, question.truths, true), [said, saidBy] = verdict(set, theirs, false);
    const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    if (question.verdict !== want || !same(question.by, by)) {
        fail(set, question, `the verdict of these truths is ${want} by ${by}`);
    }
    if (response.decision !== said || !same(decided, saidBy)) {
        fail(set, question, `Cedar's verdict of ${theirs} is ${said} by ${saidBy}, it says ${response.decision} by ${decided}`);
    }
    if (!theirs.includes('u') && (question.verdict !== response.decision || !same(question.by, decided))) {
        fail(set, question, `Cedar says ${response.decision} by ${decided}`);
    }
    count.cases++;
    count[question.verdict]++;
    count.different += question.verdict !== response.decision;
}

for await (const line of createInterface({input: process.stdin})) {
    const set = JSON.parse(line);
    prepare('all', set.rules.map((rule) => rule.cedar));
    prepare('votes', set.rules.map((rule) => rule.cedar.replace(/^forbid/, 'permit')));
    set.questions.forEach((question) => judge(set, question));
}
console.log(`${count.cases} questions (${count.allow} allow, ${count.deny} deny) and ${count.rules} rules judged by Cedar ${cedar.getCedarVersion()}: ` +
    `${count.errors} errors there, ${count.unsure} unsure here, ${count.absorbed} settled here by the other side (checked ${count.filled} times ` +
    `with what was missing filled in), ${count.different} verdicts that differ by an error skipped, ${wrong} differences`);
process.exitCode = wrong > 0 || count.cases === 0 ? 1 : 0;
