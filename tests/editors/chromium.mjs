// SPDX-License-Identifier: Apache-2.0
// A page in Debian's chromium, and a person's hands on it: the browser's own protocol over two pipes, without any library.
import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {setTimeout as rest} from 'node:timers/promises';

const ENOUGH_MS = 30000;
const OFTEN_MS = 30;
const ALT = 1, CONTROL = 2, SHIFT = 8;
const KEYS = {Enter: 13, Escape: 27, Tab: 9, Backspace: 8, End: 35, Home: 36, F1: 112, F8: 119, F12: 123};

export class Page {
    // Nothing but this machine is looked up.
    constructor(profile) {
        this.child = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
            '--remote-debugging-pipe', `--user-data-dir=${profile}`, '--window-size=1400,900', 'about:blank'],
        {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
        this.ended = new Promise((done) => this.child.once('exit', done));
        this.asked = new Map();
        this.last = 0;
        this.ended.then(() => this.asked.forEach(({fail}) => fail(new Error('chromium has ended'))));
        let rest = '';
        this.child.stdio[4].setEncoding('utf8').on('data', (bytes) => {
            const messages = (rest + bytes).split('\0');
            rest = messages.pop();
            messages.forEach((text) => this.take(JSON.parse(text)));
        });
        this.child.stdio[3].on('error', () => {}); // its end is told by `ended`
    }

    take({id, result, error}) {
        const {done, fail} = this.asked.get(id) ?? {};
        this.asked.delete(id);
        error ? fail?.(new Error(error.message)) : done?.(result);
    }

    send(method, params = {}) {
        const id = ++this.last;
        this.child.stdio[3].write(JSON.stringify({id, method, params, sessionId: this.session}) + '\0');
        return new Promise((done, fail) => this.asked.set(id, {done, fail}));
    }

    async open(url) {
        const {targetId} = await this.send('Target.createTarget', {url});
        this.session = (await this.send('Target.attachToTarget', {targetId, flatten: true})).sessionId;
    }

    // What `what` returns in the page, called with `given`: values that JSON has.
    async see(what, ...given) {
        const {result, exceptionDetails} = await this.send('Runtime.evaluate',
            {expression: `(${what})(...${JSON.stringify(given)})`, returnByValue: true});
        if (exceptionDetails) {
            throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        }
        return result.value;
    }

    async until(name, what, ...given) {
        for (const end = Date.now() + ENOUGH_MS; ;) {
            const value = await this.see(what, ...given);
            if (value) {
                return value;
            }
            if (Date.now() > end) {
                throw new Error(`no ${name} in ${ENOUGH_MS} ms`);
            }
            await rest(OFTEN_MS);
        }
    }

    async press(chord) { // such as Control+Shift+i
        const parts = chord.split('+');
        const key = parts.pop();
        const modifiers = (parts.includes('Alt') && ALT) | (parts.includes('Control') && CONTROL) | (parts.includes('Shift') && SHIFT);
        const code = KEYS[key] ? key : key === '.' ? 'Period' : `Key${key.toUpperCase()}`;
        const number = KEYS[key] ?? (key === '.' ? 190 : key.toUpperCase().charCodeAt(0));
        const event = {key, code, modifiers, windowsVirtualKeyCode: number};
        await this.send('Input.dispatchKeyEvent', {type: key === 'Enter' ? 'keyDown' : 'rawKeyDown', ...event, ...(key === 'Enter' ? {text: '\r'} : {})});
        await this.send('Input.dispatchKeyEvent', {type: 'keyUp', ...event});
    }

    async type(text) {
        for (const one of text) {
            await this.send('Input.dispatchKeyEvent', {type: 'keyDown', key: one, text: one});
            await this.send('Input.dispatchKeyEvent', {type: 'keyUp', key: one});
        }
    }

    async move({x, y}) {
        await this.send('Input.dispatchMouseEvent', {type: 'mouseMoved', x, y});
    }

    async click({x, y}) {
        for (const type of ['mousePressed', 'mouseReleased']) {
            await this.send('Input.dispatchMouseEvent', {type, x, y, button: 'left', clickCount: 1});
        }
    }

    async picture(file) {
        writeFileSync(file, Buffer.from((await this.send('Page.captureScreenshot')).data, 'base64'));
    }

    async close() {
        this.session = undefined;
        await Promise.race([this.send('Browser.close'), rest(2000)]).catch(() => {});
        const stubborn = setTimeout(() => this.child.kill('SIGKILL'), 5000);
        await this.ended;
        clearTimeout(stubborn);
    }
}
