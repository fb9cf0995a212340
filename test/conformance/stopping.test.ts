/** A job that is stopped is dead: by its caller, by its time, or because the process that started it is gone. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { composeExecutor, parseJobRequest } from '../../src/core/compose.ts';
import { alive, newMark, until } from '../helpers/clinging.ts';
import { type Answer, asEachIdentity, ended, finish, type Jail, start, waitingFolders } from '../helpers/jail.ts';

/** Far below the time limit of a job, and enough for a machine that is busy with other things. */
const soonMs = 12_000;

/** A program that does what it can to outlive its job. */
const clinging = (mark: string) => `
trap "" TERM HUP INT QUIT
for n in 1 2 3; do (setsid nohup bash -c 'trap "" TERM HUP; (while :; do sleep 0.1; done) & while :; do sleep 1; done' ${mark} > /dev/null 2>&1 &); done
python3 -c '
import os, signal, sys, time
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
for n in range(2):
    if os.fork() == 0: os.setsid()
    if os.fork() == 0: os.closerange(0, 100)
while True: time.sleep(1)
' ${mark} &
while :; do sleep 1; done
`;

/** Folders and control groups that a run makes. */
const leftovers = (jail: Jail): string[] =>
	readdirSync(jail.at.env.TMPDIR ?? '').filter((name) => name.startsWith('secure-code'));

const jobLine = (id: number, code: string, limits = {}) =>
	`${JSON.stringify({ id, language: 'bash', code, limits })}\n`;

/** A command line of its own that has begun to run clinging jobs. */
async function begin(jail: Jail, mark: string, more: readonly string[] = []): Promise<ChildProcess> {
	const child = start(jail.at, ['run', '--jsonl', '--no-check', ...more]);
	child.stdin?.write(jobLine(1, clinging(mark)) + jobLine(2, clinging(mark)));
	onTestFinished(() => void child.kill('SIGKILL'));
	expect(await until(() => alive(mark).length > 8, 20_000)).toBe(true);
	return child;
}

asEachIdentity((jail) => {
	describe('a time limit', () => {
		test('leaves nothing alive on the host, whatever the program did to stay', async () => {
			const mark = newMark();
			const job = jail.bash(clinging(mark), { limits: { timeoutMs: 2_000 } });
			expect(await until(() => alive(mark).length > 6, soonMs)).toBe(true);
			expect((await job).status).toBe('timed_out');
			expect(alive(mark)).toEqual([]);
		});

		test('and so does the end of a program', async () => {
			const mark = newMark();
			const job = jail.bash(
				`(setsid nohup sleep 60 ${mark} 2>/dev/null || setsid bash -c 'while :; do sleep 1; done' ${mark} &) ; sleep 0.5`,
			);
			expect((await job).status).toBe('succeeded');
			expect(alive(mark)).toEqual([]);
		});
	});

	describe('the end of the command line', () => {
		test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
			'%s cancels its jobs at once and answers them',
			async (signal) => {
				const mark = newMark();
				const child = await begin(jail, mark);
				let output = '';
				child.stdout?.on('data', (text) => {
					output += text;
				});
				const since = performance.now();
				child.kill(signal);
				await until(() => child.exitCode !== null, soonMs);
				expect(performance.now() - since).toBeLessThan(soonMs);
				expect(alive(mark)).toEqual([]);
				const answers = output
					.trim()
					.split('\n')
					.map((line): Answer => JSON.parse(line));
				const cancelled = { status: 'cancelled', exitCode: null, signal: 'SIGKILL', problem: 'JOB_CANCELLED' };
				expect(answers.map((answer) => [answer.id, ended(answer)]).sort()).toEqual([
					[1, cancelled],
					[2, cancelled],
				]);
			},
		);

		test('by SIGKILL leaves nothing alive either, and the next one clears its folders away', async () => {
			const mark = newMark();
			const child = await begin(jail, mark);
			child.kill('SIGKILL');
			await until(() => alive(mark).length === 0, soonMs);
			expect(alive(mark)).toEqual([]);
			const stale = leftovers(jail).filter((name) => name.includes(`-${child.pid}-`));
			expect(stale.length).toBeGreaterThan(0);
			await finish(start(jail.at, ['run', '--no-check', '--language', 'bash', '-']), 'true');
			expect(leftovers(jail).filter((name) => stale.includes(name))).toEqual([]);
		});

		test('by SIGKILL while jails start, run and end leaves nothing alive', async () => {
			const mark = newMark();
			const child = start(jail.at, ['run', '--jsonl', '--no-check', '--concurrency', '8']);
			const codes = [
				`sleep 0.0$RANDOM; exit 0 # ${mark}`,
				clinging(mark),
				`head -c 400000 /dev/zero | tr '\\0' x; sleep 20 # ${mark}`,
			];
			child.stdin?.on('error', () => {});
			child.stdin?.write(Array.from({ length: 60 }, (_, n) => jobLine(n, codes[n % 3] ?? '')).join(''));
			expect(await until(() => alive(mark).length > 0, soonMs)).toBe(true);
			const before = jailers(child.pid ?? 0);
			expect(before.length).toBeGreaterThan(0);
			child.kill('SIGKILL');
			await until(() => before.every((pid) => !existsSync(`/proc/${pid}`)) && alive(mark).length === 0, soonMs);
			expect([before.filter((pid) => existsSync(`/proc/${pid}`)), alive(mark)]).toEqual([[], []]);
		});

		test('by a reader that goes away ends its jobs', async () => {
			const mark = newMark();
			const child = await begin(jail, mark);
			child.stdin?.write(jobLine(3, 'echo one'));
			child.stdout?.destroy();
			child.stdin?.write(jobLine(4, 'echo two'));
			await until(() => child.exitCode !== null, soonMs);
			await until(() => alive(mark).length === 0, soonMs);
			expect([child.exitCode, alive(mark)]).toEqual([0, []]);
		});
	});

	test('a job that is not answered with --json is cancelled by SIGTERM with the exit code for that', async () => {
		const mark = newMark();
		const child = start(jail.at, ['run', '--no-check', '--language', 'bash', '-']);
		const ran = finish(child, clinging(mark));
		expect(await until(() => alive(mark).length > 6, soonMs)).toBe(true);
		child.kill('SIGTERM');
		expect((await ran).exitCode).toBe(130);
		expect(alive(mark)).toEqual([]);
	});

	test('a jailer that is killed from outside takes its jail with it, and the sandbox says that it failed', async () => {
		const mark = newMark();
		const child = start(jail.at, ['run', '--no-check', '--json', '--language', 'bash', '-']);
		const ran = finish(child, clinging(mark));
		expect(await until(() => alive(mark).length > 6, soonMs)).toBe(true);
		for (const pid of jailers(child.pid ?? 0)) process.kill(Number(pid), 'SIGKILL');
		expect(ended(JSON.parse((await ran).stdout))).toEqual({
			status: 'broken',
			exitCode: null,
			signal: null,
			problem: 'SANDBOX_BROKEN',
		});
		expect(await until(() => alive(mark).length === 0, soonMs)).toBe(true);
	});

	test('a command line that has run many jobs holds nothing of them', async () => {
		const child = start(jail.at, ['run', '--jsonl', '--no-check'], { env: { SECURE_CODE_WARM: 'off' } });
		onTestFinished(() => void child.kill('SIGKILL'));
		let answers = 0;
		child.stdout?.on('data', (chunk) => {
			answers += String(chunk).split('\n').length - 1;
		});
		const open = () => readdirSync(`/proc/${child.pid}/fd`).length;
		const after = async (jobs: number, code: string) => {
			const goal = answers + jobs;
			for (let n = 0; n < jobs; n++) child.stdin?.write(jobLine(n, code));
			await until(() => answers >= goal && jailers(child.pid ?? 0).length === 0, 20_000);
			await sleep(100);
			return open();
		};
		const first = await after(4, 'echo x');
		const later = await after(40, 'head -c 100000 /dev/zero | tr "\\0" x; sleep 9 & exit 3');
		expect([later, jailers(child.pid ?? 0)]).toEqual([first, []]);
		child.stdin?.end();
		await until(() => child.exitCode !== null, soonMs);
		expect(groupsOf(child.pid ?? 0)).toEqual([]);
	});

	test('the folders and control groups of runs are gone after them', async () => {
		await Promise.all([jail.bash('true'), jail.bash('yes'), jail.bash('sleep 9', { limits: { timeoutMs: 1_000 } })]);
		await until(() => leftovers(jail).length === waitingFolders(jail).length, soonMs);
		expect(leftovers(jail)).toEqual(waitingFolders(jail));
	});
});

/** Jailers of a command line: the processes it started itself. */
function jailers(pid: number): string[] {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
}

/** Control groups that a process made, on whatever hierarchy. */
function groupsOf(pid: number): string[] {
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.filter((line) => line.includes(' - cgroup'));
	return mounts.flatMap((line) =>
		readdirSync(line.split(' ')[4] ?? '', { recursive: true, encoding: 'utf8' }).filter(
			(path) => basename(path) === `secure-code-${pid}`,
		),
	);
}

describe('in this process', () => {
	const run = (executor: ReturnType<typeof composeExecutor>, code: string, signal?: AbortSignal, labels = {}) =>
		executor.run(parseJobRequest({ code, language: 'bash', check: false, labels }), { signal });

	test('an abort kills a running job at once', async () => {
		const mark = newMark();
		const stop = new AbortController();
		const job = run(composeExecutor(), clinging(mark), stop.signal);
		expect(await until(() => alive(mark).length > 6, soonMs)).toBe(true);
		const since = performance.now();
		stop.abort();
		expect(ended(await job)).toEqual({
			status: 'cancelled',
			exitCode: null,
			signal: 'SIGKILL',
			problem: 'JOB_CANCELLED',
		});
		expect(performance.now() - since).toBeLessThan(soonMs);
		expect(alive(mark)).toEqual([]);
	});

	test('an abort before the start, or while the job waits, runs nothing', async () => {
		const executor = composeExecutor({ concurrency: 1, queueLength: 5 });
		const [mark, stop] = [newMark(), new AbortController()];
		const first = run(executor, 'sleep 0.7');
		const waiting = run(executor, `sleep 5 # ${mark}`, stop.signal);
		const aborted = run(executor, 'echo ran', AbortSignal.abort());
		stop.abort();
		const nothing = { status: 'cancelled', exitCode: null, signal: null, problem: 'JOB_CANCELLED' };
		expect([ended(await waiting), ended(await aborted)]).toEqual([nothing, nothing]);
		expect((await first).status).toBe('succeeded');
	});

	test('aborts at every moment of a start end in a cancelled job', async () => {
		const executor = composeExecutor({ concurrency: 4 });
		await run(executor, 'true');
		const jobs = Array.from({ length: 30 }, async (_, n) => {
			const stop = new AbortController();
			const job = run(executor, 'sleep 3', stop.signal);
			await sleep(n);
			stop.abort();
			return (await job).status;
		});
		expect(await Promise.all(jobs)).toEqual(Array(30).fill('cancelled'));
	});

	test('a full queue is a clear result, and the time that was waited is told', async () => {
		const executor = composeExecutor({ concurrency: 1, queueLength: 2 });
		const results = await Promise.all([1, 2, 3, 4].map((n) => run(executor, `sleep 0.3; echo ${n}`)));
		expect(results.map((result) => [result.status, result.stdout, result.problem?.code ?? null])).toEqual([
			['succeeded', '1\n', null],
			['succeeded', '2\n', null],
			['succeeded', '3\n', null],
			['denied', '', 'QUEUE_FULL'],
		]);
		const [first, second, third] = results.map(({ queuedMs }) => queuedMs);
		expect(first).toBeLessThan(100);
		expect(second).toBeGreaterThanOrEqual(300);
		expect(third).toBeGreaterThanOrEqual(600);
	});

	test('workflows take turns', async () => {
		const executor = composeExecutor({ concurrency: 1 });
		const order: string[] = [];
		const jobs = ['a', 'a', 'a', 'b', 'c'].map(async (workflow, n) => {
			await run(executor, 'true', undefined, { workflow });
			order.push(`${workflow}${n}`);
		});
		await Promise.all(jobs);
		expect(order).toEqual(['a0', 'a1', 'b3', 'c4', 'a2']);
	});

	test('two executors of one process, as two copies of a node have, made groups of the same name', async () => {
		const results = await Promise.all(
			[composeExecutor(), composeExecutor()].map((one) => run(one, 'sleep 0.3; id -u; echo ok')),
		);
		expect(results.map(({ stdout }) => stdout)).toEqual(['1000\nok\n', '1000\nok\n']);
	});

	test('a result that was given is final: nothing of the job is left when it arrives', async () => {
		const executor = composeExecutor();
		for (let n = 0; n < 5; n++) {
			const mark = newMark();
			await run(executor, `for n in 1 2 3 4; do setsid bash -c 'while :; do :; done' ${mark} & done; sleep 0.2`);
			expect(alive(mark)).toEqual([]);
		}
	});
});
