/** What a Node.js that waits for its program has ready for it, without a jail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const waitModule = join(import.meta.dirname, '../../../../../src/core/sandbox/runtimes/javascript/wait.cjs');

/** Runs a program in an interpreter that has waited for it, and has loaded one module ahead. */
async function runAfterWaiting(module: string, code: string) {
	const folder = tempFolder();
	const program = join(folder, 'main.cjs');
	writeFileSync(join(folder, 'ahead.js'), module);
	writeFileSync(program, code);
	const child = spawn(process.execPath, ['--require', waitModule, program], {
		env: { NODE_PATH: folder, SECURE_CODE_WAIT: 'javascript', SECURE_CODE_PRELOAD: 'ahead' },
		stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
	});
	const [, out, err, job, ready] = child.stdio as [null, Readable, Readable, Writable, Readable];
	const printed = Promise.all([text(out), text(err)]);
	await once(ready, 'data');
	job.end();
	const [stdout, stderr] = await printed;
	return { stdout, stderr };
}

test('a module that prints and warns while it is loaded ahead is not heard, and what it keeps of its streams is not silent', async () => {
	const module = `
		const { write } = process.stdout;
		console.log('loaded'); console.error('loaded'); process.stdout.write('loaded'); process.emitWarning('loaded');
		exports.print = (words) => write.call(process.stdout, words);
		exports.streams = [process.stdout, process.stderr];`;
	const code = `
		const { print, streams } = require('ahead');
		print('kept ');
		streams.forEach((stream) => stream.write('held '));
		console.log('own', streams[0] === process.stdout, Object.keys(Object.getOwnPropertyDescriptor(process, 'stdout')));
		process.emitWarning('own');`;
	const { stdout, stderr } = await runAfterWaiting(module, code);
	expect(stdout).toBe("kept held own true [ 'get', 'set', 'enumerable', 'configurable' ]\n");
	expect(stderr.replace(/^held \(node:\d+\) /, '')).toBe(
		'Warning: own\n(Use `node --trace-warnings ...` to show where the warning was created)\n',
	);
});
