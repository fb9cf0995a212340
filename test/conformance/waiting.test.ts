/** Boxes that wait for a job: what they hold, who ends them, and that nothing of them is left. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { JobRequestInput, JobResult } from '../../src/contract/job.ts';
import { composeExecutor, parseJobRequest, warmSettings } from '../../src/core/compose.ts';
import type { Executor, JobContext } from '../../src/core/ports.ts';
import { until } from '../helpers/clinging.ts';
import { asEachIdentity, configOf, ended, finish, printed, start, succeeded } from '../helpers/jail.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MiB = 1024 * 1024;
const soonMs = 10_000;
const languages = ['python', 'javascript', 'bash'] as const;
const programs = { python: 'print(1)', javascript: 'console.log(1)', bash: 'echo 1' } as const;

/** Of Python's own library; together they take more than 16 MiB. */
const heavyModules = [
	...[
		'asyncio',
		'unittest.mock',
		'email.mime.text',
		'http.server',
		'xml.dom.minidom',
		'xmlrpc.server',
		'pydoc',
		'doctest',
	],
	...['decimal', 'fractions', 'statistics', 'sqlite3', 'ctypes', 'multiprocessing.pool', 'logging.config', 'tarfile'],
	...['pydoc_data.topics', 'concurrent.futures.process', 'ssl'],
];

const read = (path: string): string => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
};

const childrenOf = (pid: number): number[] =>
	read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);

/** A process and all that it started, and so on. */
const treeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(treeOf)];

/** The jails of a process, each with its folder, its first process and what runs in it. */
const jailsOf = (pid: number) =>
	childrenOf(pid)
		.map((nsjail) => ({ nsjail, words: read(`/proc/${nsjail}/cmdline`).split('\0') }))
		.filter(({ words }) => words[1] === '--config')
		.map(({ nsjail, words }) => ({ nsjail, folder: dirname(configOf(words)), inside: treeOf(nsjail).slice(1) }));

/** Folders of runs of a process. */
const foldersOf = (pid: number, base = tmpdir()): string[] =>
	readdirSync(base).filter((name) => name.startsWith(`secure-code-run-${pid}-`));

/** Everything below a folder of the kernel; when something vanishes from under the reading, it is read anew. */
function pathsBelow(top: string, tries = 50): string[] {
	try {
		return readdirSync(top, { recursive: true, encoding: 'utf8' });
	} catch (error) {
		if (tries === 0) throw error;
		return pathsBelow(top, tries - 1);
	}
}

/** Control groups of runs of a process, on whatever hierarchy. */
const groupsOf = (pid: number): string[] =>
	readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.filter((line) => line.includes(' - cgroup'))
		.map((line) => line.split(' ')[4] ?? '')
		.flatMap((top) => pathsBelow(top))
		.filter((path) => path.includes(`secure-code-run-${pid}-`));

/** Open descriptors of this process. */
const open = (): number => readdirSync('/proc/self/fd').length;

/** Their number when nothing of an earlier test is being closed any more. */
async function openAtRest(): Promise<number> {
	for (let last = open(); ; ) {
		await sleep(200);
		const now = open();
		if (now === last) return now;
		last = now;
	}
}

/** What is in memory for a process alone, and its part of what it shares; in bytes. */
const shareOf = (pid: number): number =>
	Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1]) * 1024;

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

const executors: Executor[] = [];
afterEach(async () => {
	for (const executor of executors.splice(0)) await executor.close();
});

function compose(budgetBytes = 256 * MiB): Executor {
	const executor = composeExecutor({ warm: { budgetBytes, calmBytes: budgetBytes } });
	executors.push(executor);
	return executor;
}

const run = (executor: Executor, job: JobRequestInput, context: JobContext = {}): Promise<JobResult> =>
	executor.run(parseJobRequest({ check: false, ...job }), context);

/** Calls once for a kind, and waits until the next call of it need not. */
async function prepare(executor: Executor, job: JobRequestInput, context: JobContext = {}): Promise<void> {
	await run(executor, job, context);
	await executor.settle();
}

describe('an executor with boxes that wait', () => {
	test.each(languages)('gives the second job of a kind to one of them: %s', async (language) => {
		const executor = compose();
		const job = { language, code: programs[language] };
		const starts = [];
		for (let n = 0; n < 4; n++) {
			starts.push((await run(executor, job)).start);
			await executor.settle();
		}
		expect(starts).toEqual(['cold', 'warm', 'warm', 'warm']);
	});

	test('has none where they are switched off, or a job does not want one', async () => {
		const off = composeExecutor({ warm: warmSettings({ SECURE_CODE_WARM: 'off' }) });
		const starts = [];
		for (let n = 0; n < 3; n++) {
			starts.push((await run(off, { code: 'print(1)' })).start);
			await off.settle();
		}
		const on = compose();
		for (let n = 0; n < 3; n++) {
			starts.push((await run(on, { code: 'print(1)', warm: false })).start);
			await on.settle();
		}
		expect(starts).toEqual(Array(6).fill('cold'));
	});

	test('keeps a box for each job of a burst', async () => {
		const executor = compose();
		const burst = () =>
			Promise.all(Array.from({ length: 6 }, () => run(executor, { language: 'bash', code: 'echo 1' })));
		await burst();
		await executor.settle();
		expect((await burst()).map(({ start, stdout }) => [start, stdout])).toEqual(Array(6).fill(['warm', '1\n']));
	});

	test('makes none while jobs that started cold keep all processors busy', async () => {
		const executor = compose();
		const count = availableParallelism();
		const jobs = Array.from({ length: count }, () => run(executor, { language: 'bash', code: 'sleep 1.5' }));
		await until(() => jailsOf(process.pid).length === count, soonMs);
		await sleep(700);
		expect(jailsOf(process.pid).length).toBe(count);
		expect((await Promise.all(jobs)).map(({ start }) => start)).toEqual(Array(count).fill('cold'));
	});

	test('answers every job although more come than boxes wait', async () => {
		const executor = compose();
		const jobs = Array.from({ length: 60 }, (_, n) =>
			run(executor, {
				language: languages[n % 3] ?? 'bash',
				code: [`print(${n})`, `console.log(${n})`, `echo ${n}`][n % 3] ?? '',
			}),
		);
		expect((await Promise.all(jobs)).map(printed)).toEqual(Array.from({ length: 60 }, (_, n) => `${n}\n`));
	});

	test('holds no more than 60 MB when nobody has called for half a minute, and is still there', async () => {
		const executor = composeExecutor({ warm: warmSettings({}) });
		executors.push(executor);
		for (const language of languages) await prepare(executor, { language, code: programs[language] });
		const typed = { language: 'javascript', code: 'const a: number = 1; console.log(a)' } as const;
		await prepare(executor, typed);
		await Promise.all(Array.from({ length: 8 }, () => run(executor, { language: 'python', code: 'print(1)' })));
		await sleep(35_000);
		const jails = jailsOf(process.pid);
		const bytes = jails
			.flatMap(({ nsjail, inside }) => [nsjail, ...inside])
			.reduce((sum, pid) => sum + (shareOf(pid) || 0), 0);
		expect(bytes).toBeGreaterThan(0);
		expect(bytes).toBeLessThanOrEqual(60e6);
		expect((await run(executor, { language: 'python', code: 'print(1)' })).start).toBe('warm');
	});

	test.each(['nsjail', 'its first process', 'its interpreter'])(
		'gives a job to another when %s was killed while this process was busy',
		async (killed) => {
			const executor = compose();
			const job = { language: 'bash', code: 'echo 1' } as const;
			await prepare(executor, job);
			const jails = jailsOf(process.pid);
			const inside = jails.flatMap((jail) => jail.inside);
			const victims = jails.map((jail) =>
				killed === 'nsjail' ? jail.nsjail : jail.inside[killed === 'its first process' ? 0 : 1],
			);
			for (const pid of victims) if (pid !== undefined) process.kill(pid, 'SIGKILL');
			// Nothing is heard of it meanwhile.
			for (let n = 0; n < 300 && inside.some(isAlive); n++) spawnSync('sleep', ['0.01']);
			expect(printed(await run(executor, job))).toBe('1\n');
		},
	);

	test('starts a job cold whose box is killed before it has begun', async () => {
		const executor = compose();
		const job = { language: 'bash', code: 'echo 1' } as const;
		await prepare(executor, job);
		const first = jailsOf(process.pid).flatMap(({ inside }) => inside.slice(0, 1));
		expect(first.length).toBe(1);
		for (const pid of first) process.kill(pid, 'SIGSTOP');
		const answer = run(executor, job);
		await sleep(300);
		for (const pid of first) process.kill(pid, 'SIGKILL');
		const { status, start, stdout } = await answer;
		expect([status, start, stdout]).toEqual(['succeeded', 'cold', '1\n']);
	});

	test('starts no job twice: one that was killed with its box is not repeated', async () => {
		const executor = compose();
		await prepare(executor, { language: 'bash', code: 'echo 1' });
		const job = run(executor, { language: 'bash', code: 'echo begun; sleep 30' });
		const running = () =>
			jailsOf(process.pid).filter(({ inside }) =>
				inside.some((pid) => read(`/proc/${pid}/cmdline`) === 'sleep\x0030\0'),
			);
		expect(await until(() => running().length === 1, soonMs)).toBe(true);
		for (const { nsjail } of running()) process.kill(nsjail, 'SIGKILL');
		const { status, start, stdout } = await job;
		expect([status, start, stdout]).toEqual(['broken', 'warm', 'begun\n']);
	});

	test('waits for jobs of ordinary size behind one with too little memory for a box', async () => {
		const executor = compose();
		const job: JobRequestInput = { language: 'python', code: 'print(1)', preload: heavyModules };
		await prepare(executor, { ...job, limits: { memoryBytes: 16 * MiB } });
		const { start, status } = await run(executor, job);
		expect([start, status]).toEqual(['warm', 'succeeded']);
	});

	test('leaves nothing when it is closed', async () => {
		const executor = compose();
		for (const language of languages) await prepare(executor, { language, code: programs[language] });
		const before = jailsOf(process.pid);
		expect(before.length).toBeGreaterThan(2);
		await executor.close();
		const all = () => [...jailsOf(process.pid), ...foldersOf(process.pid), ...groupsOf(process.pid)];
		await until(() => all().length === 0, soonMs);
		const left = before.flatMap(({ nsjail, inside }) => [nsjail, ...inside]).filter(isAlive);
		expect([left, jailsOf(process.pid), foldersOf(process.pid), groupsOf(process.pid)]).toEqual([[], [], [], []]);
	});

	test('still answers when it was closed, and settles at once', async () => {
		const executor = compose();
		await prepare(executor, { language: 'bash', code: 'echo 1' });
		await executor.close();
		expect((await run(executor, { language: 'bash', code: 'echo 1' })).start).toBe('cold');
		await executor.settle();
		expect(printed(await run(executor, { language: 'bash', code: 'echo 2' }))).toBe('2\n');
		await until(() => jailsOf(process.pid).length === 0, soonMs);
		expect(jailsOf(process.pid)).toEqual([]);
	});

	test('holds nothing of the jobs that it has run', async () => {
		const executor = compose();
		const before = await openAtRest();
		const code = 'head -c 100000 /dev/zero | tr "\\0" x; sleep 9 & exit 3';
		for (let n = 0; n < 20; n++) await prepare(executor, { language: 'bash', code });
		expect(jailsOf(process.pid).length).toBeLessThan(20);
		await executor.close();
		await until(() => open() <= before && foldersOf(process.pid).length === 0, soonMs);
		expect([open() - before, foldersOf(process.pid)]).toEqual([0, []]);
	});

	test('holds no socket of a network that no job ever used', async () => {
		const executor = compose();
		const before = await openAtRest();
		const job: JobRequestInput = { language: 'python', code: 'print(1)', network: ['example.com', 'example.org:8080'] };
		for (let n = 0; n < 3; n++) await prepare(executor, job);
		expect((await run(executor, job)).start).toBe('warm');
		await executor.close();
		await until(() => open() <= before, soonMs);
		expect(open() - before).toBe(0);
	});

	test('collects nothing from a program that leaves nothing, and answers as soon as it is over', async () => {
		const executor = compose();
		const outDir = tempFolder();
		await prepare(executor, { language: 'bash', code: 'echo 1' }, { outDir });
		const answers = [
			await run(executor, { language: 'bash', code: 'echo 1' }, { outDir }),
			await run(executor, { language: 'bash', code: 'echo 1 > /work/out/a' }, { outDir }),
		];
		expect(answers.map(({ files, problem }) => [files.map(({ name }) => name), problem])).toEqual([
			[[], null],
			[['a'], null],
		]);
	});
});

describe('a secret', () => {
	const secret = 'hunter2-of-a-warm-job-77c1';
	const wish = { secrets: ['KEY'] };
	const context = { secretValues: { KEY: secret } };

	test.each([
		['python', 'import os, time\nprint(len(os.environ["KEY"]), flush=True)\ntime.sleep(2)'],
		['javascript', 'console.log(process.env.KEY.length); setTimeout(() => {}, 2000)'],
		['bash', 'echo ${#KEY}; sleep 2'],
	] as const)(
		'comes neither by a command line nor by the environment in which an interpreter started: %s',
		async (language, code) => {
			const executor = compose();
			await prepare(executor, { language, code: programs[language], ...wish }, context);
			const job = run(executor, { language, code, ...wish }, context);
			const holders = new Set<string>();
			for (let n = 0; n < 30; n++, await sleep(40))
				for (const pid of treeOf(process.pid).slice(1)) {
					const name = read(`/proc/${pid}/comm`).trim();
					if (read(`/proc/${pid}/cmdline`).includes(secret)) holders.add(`${name} cmdline`);
					if (read(`/proc/${pid}/environ`).includes(secret)) holders.add(`${name} environ`);
				}
			const { start, stdout } = await job;
			// A program that Bash starts has its variables, as everywhere.
			holders.delete('sleep environ');
			expect([start, stdout, [...holders]]).toEqual(['warm', `${secret.length}\n`, []]);
		},
	);

	test('is in no file of the host, and not in the box of the next job', async () => {
		const executor = compose();
		const look =
			'import glob, os\nprint([p for p in glob.glob("/proc/*/environ") if p != "/proc/1/environ" and b"hunter2" in open(p, "rb").read()] if os.environ.get("KEY") is None else "there")';
		await prepare(executor, { language: 'python', code: look }, context);
		await run(executor, { language: 'python', code: 'print(1)', ...wish }, context);
		await executor.settle();
		for (const { folder } of jailsOf(process.pid))
			for (const name of readdirSync(folder).filter((one) => one !== 'jail.cfg'))
				expect(read(`${folder}/${name}`)).not.toContain(secret);
		const looked = await run(executor, { language: 'python', code: look }, context);
		expect([looked.start, looked.stdout, looked.status]).toEqual(['warm', '[]\n', 'succeeded']);
	});

	test('that is put in outside is trusted by Node.js although it started before the authority was there, and modules were to be loaded ahead', async () => {
		const executor = compose();
		const code =
			'console.log(require("tls").getCACertificates("extra").length, require("fs").readFileSync(process.env.NODE_EXTRA_CA_CERTS, "utf8").length > 100)';
		const preload = ['https'];
		const job: JobRequestInput = { language: 'javascript', code, network: ['example.com'], preload, ...wish };
		const bound = { ...context, secretHosts: { KEY: ['example.com'] } };
		await prepare(executor, job, bound);
		const warm = await run(executor, job, bound);
		const cold = await run(executor, { ...job, warm: false }, bound);
		expect([warm.start, warm.stdout]).toEqual(['warm', cold.stdout]);
		expect(cold.stdout).toBe('1 true\n');
	});
});

asEachIdentity((jail) => {
	const env = () => ({ TMPDIR: jail.at.env.TMPDIR ?? '' });
	const inTemp = () => readdirSync(env().TMPDIR).filter((name) => name.startsWith('secure-code-run'));
	const lines = (count: number) =>
		Array.from(
			{ length: count },
			(_, id) =>
				`${JSON.stringify({ id, language: languages[id % 3], code: programs[languages[id % 3] ?? 'bash'] })}\n`,
		).join('');

	/** A command line of which interpreters of every language wait. */
	async function withWaiting() {
		const child = start(jail.at, ['run', '--jsonl', '--no-check']);
		onTestFinished(() => void child.kill('SIGKILL'));
		child.stdout?.resume();
		child.stdin?.write(lines(9));
		const pid = child.pid ?? 0;
		const names = () => jailsOf(pid).flatMap(({ inside }) => inside.map((one) => read(`/proc/${one}/cmdline`)));
		const isReady = () =>
			['main.py', 'main.js', 'main.sh'].every((name) => names().some((words) => words.includes(name)));
		await once(child.stdout ?? child, 'data');
		await sleep(1_500);
		expect(await until(isReady, soonMs)).toBe(true);
		return { child, pid, all: jailsOf(pid).flatMap(({ nsjail, inside }) => [nsjail, ...inside]) };
	}

	test('a process that is killed leaves no nsjail and no interpreter, and the next one removes its folders and groups', async () => {
		const { child, pid, all } = await withWaiting();
		expect(all.length).toBeGreaterThan(6);
		child.kill('SIGKILL');
		await until(() => !all.some(isAlive), soonMs);
		expect(all.filter(isAlive).map((one) => read(`/proc/${one}/cmdline`))).toEqual([]);
		await finish(start(jail.at, ['run', '--no-check', '--language', 'bash', '-']), 'true');
		expect([inTemp().filter((name) => name.includes(`-${pid}-`)), groupsOf(pid)]).toEqual([[], []]);
	});

	test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
		'a process that is ended by %s leaves nothing',
		async (signal) => {
			const { child, pid, all } = await withWaiting();
			child.kill(signal);
			await once(child, 'exit');
			await until(() => !all.some(isAlive), soonMs);
			expect([all.filter(isAlive), inTemp().filter((name) => name.includes(`-${pid}-`))]).toEqual([[], []]);
		},
	);

	test('a process that comes to its end leaves nothing, and does not wait for what waits', async () => {
		const { child, pid, all } = await withWaiting();
		const since = performance.now();
		child.stdin?.end();
		await once(child, 'exit');
		expect(performance.now() - since).toBeLessThan(8_000);
		expect([child.exitCode, all.filter(isAlive), inTemp().filter((name) => name.includes(`-${pid}-`))]).toEqual([
			0,
			[],
			[],
		]);
	});

	test('a stream that ends early is answered line by line all the same', async () => {
		for (const count of [1, 2, 3, 5, 8, 13, 30]) {
			const { exitCode, stdout } = await finish(start(jail.at, ['run', '--jsonl', '--no-check']), lines(count));
			const answers = stdout
				.trim()
				.split('\n')
				.map((line) => JSON.parse(line));
			expect([exitCode, answers.length, answers.map((answer) => ended(answer))]).toEqual([
				0,
				count,
				Array(count).fill(succeeded),
			]);
		}
	});
});
