import { describe, expect, it, vi } from 'vitest';
import { readOptional } from '../../../../src/core/host/read.ts';
import { runInGroup } from '../../../../src/core/runner/group-run.ts';

const limits = {
	timeoutMs: 20_000,
	idleTimeoutMs: null,
	outputBytes: 1_000,
	floodBytes: 1_000,
	memoryBytes: 1,
	processes: 1,
};

async function run(script: string, change: { timeoutMs?: number; signal?: AbortSignal } = {}) {
	let stdout = '';
	const io = {
		stdin: undefined,
		signal: change.signal ?? new AbortController().signal,
		onOutput: (_stream: string, chunk: Buffer) => {
			stdout += chunk;
		},
	};
	const start = {
		keeper: '',
		account: null,
		argv: ['/bin/sh', '-c', script],
		env: { A: 'b' },
		cwd: '/usr',
		stdin: undefined,
		mark: '',
		limits: { ...limits, timeoutMs: change.timeoutMs ?? limits.timeoutMs },
	};
	const { stopped, exit, fault, isConfirmedDead } = await runInGroup(start, io);
	return { stdout, stopped, exit, fault, isConfirmedDead };
}

/** Killed at once; whoever adopted it may take its time to reap it, and a process that is only to be reaped has no words. */
const isGone = (pid: string) => vi.waitFor(() => expect(readOptional(`/proc/${pid.trim()}/cmdline`) ?? '').toBe(''));

const ended = { stopped: null, exit: { code: 0, signal: null }, fault: null, isConfirmedDead: false };

describe('a command on a system without a keeper', () => {
	it('runs in its folder with its environment, and nobody claims that all of it is dead', async () => {
		expect(await run('pwd; echo $A; umask')).toEqual({ ...ended, stdout: '/usr\nb\n0077\n' });
	});

	it.each([
		['exit 9', { code: 9, signal: null }],
		['kill -TERM $$', { code: null, signal: 'SIGTERM' }],
	])('ends as it ends: %s', async (script, exit) => {
		expect(await run(script)).toEqual({ ...ended, exit, stdout: '' });
	});

	it('takes its group with it when its time is over, or when it is cancelled', async () => {
		const stop = new AbortController();
		setTimeout(() => stop.abort('cancelled'), 300);
		const script = 'trap "" TERM; sleep 30 & echo $!; sleep 30';
		const ran = await Promise.all([run(script, { timeoutMs: 300 }), run(script, { signal: stop.signal })]);
		expect(ran.map(({ stopped, exit }) => [stopped, exit])).toEqual([
			['timeout', null],
			['cancelled', null],
		]);
		for (const { stdout } of ran) await isGone(stdout);
	});

	it('leaves no child of its group behind when it ends by itself', async () => {
		const { stdout } = await run('sleep 30 & echo $!');
		await isGone(stdout);
	});
});
