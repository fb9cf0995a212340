import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { hearOutput, runCommand, startProcess } from '../../../../src/core/host/process.ts';
import {
	childrenOf,
	isOrphan,
	isThere,
	killChild,
	markedProcesses,
	markName,
	newMark,
	processesWith,
	processId,
	tasksOf,
} from '../../../../src/core/host/processes.ts';

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

describe('startProcess with an umask and a folder', () => {
	it('gives them to the process and keeps its own', async () => {
		const before = process.umask();
		const options = { env: {}, stdio: ['ignore', 'pipe', 'ignore'] as const, umask: 0o027, cwd: '/usr' };
		const child = startProcess('/bin/sh', ['-c', 'umask; pwd'], { ...options, stdio: [...options.stdio] });
		expect(await text(child.stdout ?? Readable.from([]))).toBe('0027\n/usr\n');
		expect(process.umask()).toBe(before);
	});
});

describe('hearOutput', () => {
	it('hears both streams, and holds the process back until what was heard is taken', async () => {
		const child = startProcess('/bin/sh', ['-c', 'head -c 3000000 /dev/zero; echo err >&2'], {
			env: {},
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const heard = { stdout: 0, stderr: 0 };
		let letGo = () => {};
		const held = new Promise<void>((resolve) => {
			letGo = resolve;
		});
		hearOutput(child, (stream, chunk) => {
			heard[stream] += chunk.length;
			return held;
		});
		await vi.waitFor(() => expect(heard.stdout).toBeGreaterThan(0));
		await new Promise((resolve) => setTimeout(resolve, 200));
		expect(heard.stdout).toBeLessThan(1_000_000);
		letGo();
		await once(child, 'close');
		expect(heard).toEqual({ stdout: 3_000_000, stderr: 4 });
	});
});

/** Holds every file that this process may open, while it acts. */
function withoutFiles<T>(act: () => T): T {
	const held: number[] = [];
	try {
		for (;;) held.push(openSync('/dev/null', 'r'));
	} catch {
		return act();
	} finally {
		for (const fd of held) closeSync(fd);
	}
}

describe('where this process can open no more files', () => {
	const start = () => startProcess('/bin/true', [], { env: {}, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });

	it('a process cannot be started, and that is said', async () => {
		expect(() => withoutFiles(start)).toThrow(
			'The sandbox could not start the program: this process cannot open more files.',
		);
		await new Promise((resolve) => setTimeout(resolve, 20));
		const [code] = await once(start(), 'exit');
		expect(code).toBe(0);
	});

	it('a command has no exit code', async () => {
		const { exitCode } = await withoutFiles(() => runCommand('/bin/true', []));
		expect([exitCode, (await runCommand('/bin/true', [])).exitCode]).toEqual([undefined, 0]);
	});

	it('no processes are found', () => {
		expect(withoutFiles(() => [childrenOf(process.pid), tasksOf(0), markedProcesses()])).toEqual([[], 0, []]);
	});
});

describe('processes', () => {
	const sleeper = (env = {}) =>
		startProcess('/bin/sh', ['-c', 'sleep 30; :', 'word-of-this-test'], { env, stdio: 'ignore' });

	it('are known by number and start, so that a later one with the same number is another', async () => {
		const child = sleeper();
		const id = processId(child.pid ?? 0);
		expect([id && isThere(id), id && isThere({ ...id, startedAt: '1' }), processId(4_999_999)]).toEqual([
			true,
			false,
			undefined,
		]);
		child.kill('SIGKILL');
		await once(child, 'exit');
		expect(id && isThere(id)).toBe(false);
	});

	it('are found by their mark and by a word of theirs', async () => {
		const mark = newMark();
		const child = sleeper({ [markName]: mark });
		await vi.waitFor(() => expect(processesWith('word-of-this-test')).toContain(child.pid));
		const found = markedProcesses().filter((one) => one.mark === mark);
		expect(found.map(({ pid }) => pid)).toContain(child.pid);
		process.kill(-(child.pid ?? 0), 'SIGKILL');
		await once(child, 'exit');
	});

	it('are orphans when whoever marked them is gone', () => {
		const random = 'f'.repeat(32);
		expect([newMark(), `${process.pid}.1.${random}`, `4999999.1.${random}`, 'anything', ''].map(isOrphan)).toEqual([
			false,
			true,
			true,
			false,
			false,
		]);
	});

	it('are counted by user', () => {
		expect([tasksOf(process.getuid?.() ?? 0) > 0, tasksOf(4_999_999)]).toEqual([true, 0]);
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
