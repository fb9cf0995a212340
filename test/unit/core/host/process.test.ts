import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { runCommand, startProcess } from '../../../../src/core/host/process.ts';
import { childrenOf, killChild } from '../../../../src/core/host/processes.ts';

const printEnvironment = ['-e', 'console.log(JSON.stringify(process.env))'];

describe('startProcess', () => {
	it('inherits nothing of our environment', async () => {
		const child = startProcess(process.execPath, printEnvironment, {
			env: { A: 'b' },
			stdio: ['ignore', 'pipe', 'ignore'],
		});
		expect(JSON.parse(await text(child.stdout ?? Readable.from([])))).toEqual({ A: 'b' });
	});

	it('reads no argument as a shell would', async () => {
		const child = startProcess('/bin/echo', ['$HOME; id'], { env: {}, stdio: ['ignore', 'pipe', 'ignore'] });
		expect(await text(child.stdout ?? Readable.from([]))).toBe('$HOME; id\n');
	});
});

describe('runCommand', () => {
	it('says how a command ended and what it printed', async () => {
		const script = 'echo out; echo err >&2; exit 3';
		expect(await runCommand('/bin/sh', ['-c', script])).toEqual({ exitCode: 3, stdout: 'out', stderr: 'err' });
	});

	it('has no exit code for a command that does not exist', async () => {
		expect((await runCommand('/does/not/exist', [])).exitCode).toBeUndefined();
	});

	it('hands on only the environment it was given', async () => {
		vi.stubEnv('SECRET_OF_OURS', 'x');
		const { stdout } = await runCommand(process.execPath, printEnvironment, { env: { A: 'b' } });
		vi.unstubAllEnvs();
		expect(JSON.parse(stdout)).toEqual({ A: 'b' });
	});

	it('ends a command that takes too long', async () => {
		expect((await runCommand('/bin/sleep', ['30'], { timeoutMs: 50 })).exitCode).toBeUndefined();
	});
});

describe('a child', () => {
	const sleep = () => startProcess('/bin/sleep', ['30'], { env: {}, stdio: 'ignore' });

	it('is known by its parent and killed by it', async () => {
		const child = sleep();
		const pid = child.pid ?? 0;
		expect(childrenOf(process.pid)).toContain(pid);
		killChild(process.pid, pid);
		expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
		expect(childrenOf(process.pid)).not.toContain(pid);
	});

	it("is left alone when it is another's, because numbers are given away again", async () => {
		const child = sleep();
		killChild(1, child.pid ?? 0);
		expect(childrenOf(process.pid)).toContain(child.pid);
		child.kill();
		await once(child, 'exit');
	});
});
