/** Each limit of the table is reached, ends the job as the table says, and is named in the result. */
import { describe, expect, test } from 'vitest';
import type { JobRequestInput } from '../../src/contract/job.ts';
import { fixedLimits, type LimitName, limits } from '../../src/contract/limits.ts';
import { asEachIdentity, ended, printed } from '../helpers/jail.ts';

const MiB = 1024 * 1024;

/** How a job ends that was killed at a limit. */
const killedAt = (name: LimitName) => ({
	status: limits[name].status,
	exitCode: null,
	signal: 'SIGKILL',
	problem: limits[name].problem,
});

/** How a job ends that saw an ordinary error of its language when it reached a limit. */
const failedAt = (name: LimitName) => ({
	status: limits[name].status,
	exitCode: 1,
	signal: null,
	problem: limits[name].problem,
});

type Row = [what: string, job: JobRequestInput];
const python = (code: string): JobRequestInput => ({ language: 'python', code });
const javascript = (code: string): JobRequestInput => ({ language: 'javascript', code });
const bash = (code: string): JobRequestInput => ({ language: 'bash', code });

const endless: Row[] = [
	['Python that computes', python('print("before", flush=True)\nwhile True: pass')],
	['Python that sleeps', python('import time\nprint("before", flush=True)\ntime.sleep(99)')],
	['JavaScript', javascript('process.stdout.write("before\\n", () => { for (;;); });')],
	['Bash', bash('echo before; while :; do :; done')],
	['a program that has stopped itself', bash('echo before; kill -STOP $$; echo after')],
	['a program that ignores every signal', bash('trap "" $(seq 64); echo before; while :; do :; done')],
];

const greedy: Row[] = [
	['a Python list', python('held = []\nwhile True: held.append(bytearray(1 << 20))')],
	[
		'the heap of JavaScript',
		javascript('const held = []; for (;;) held.push(Array.from({ length: 1e4 }, (_, i) => ({ i })));'),
	],
	['buffers outside the heap', javascript('const held = []; for (;;) held.push(Buffer.alloc(1 << 20, 1));')],
	['a Bash variable', bash('held=x; while :; do held=$held$held; done')],
	[
		'many small processes together',
		python(`
import os, sys, time
children = []
for n in range(24):
    pid = os.fork()
    if pid == 0:
        held = bytearray(os.urandom(10 << 20))
        time.sleep(20)
        os._exit(0)
    children.append(pid)
sys.exit(max(os.waitpid(pid, 0)[1] for pid in children) and 1)
`),
	],
	[
		'memory that processes share',
		python('import mmap\nheld = mmap.mmap(-1, 400 << 20)\nfor at in range(0, 400 << 20, 4096): held[at] = 1'),
	],
	[
		'files in /work, /tmp and /dev/shm',
		bash(
			'for d in /work /tmp /dev/shm; do head -c 30M /dev/zero > $d/a || exit; done; x=$(head -c 60M /dev/zero | tr "\\0" x); echo "$x" | wc -c; sleep 1; exit 1',
		),
	],
];

asEachIdentity((jail) => {
	describe.concurrent('time', () => {
		test.each(endless)('ends %s, and what it printed before is there', async (_, job) => {
			const result = await jail.run({ ...job, limits: { timeoutMs: limits.timeoutMs.floor } });
			expect({ ...ended(result), stdout: result.stdout }).toEqual({ ...killedAt('timeoutMs'), stdout: 'before\n' });
			expect(result.problem?.message).toContain(`${limits.timeoutMs.floor / 1000} s`);
			expect(result.durationMs).toBeGreaterThanOrEqual(limits.timeoutMs.floor);
			expect(result.durationMs).toBeLessThan(limits.timeoutMs.floor + 10_000);
		});

		test('processor time adds up over threads and ended a job long before its time', async () => {
			const code = `
const { Worker, isMainThread } = require('node:worker_threads');
if (!isMainThread) for (;;);
for (let i = 0; i < 3; i++) new Worker(__filename);
setTimeout(() => { console.log('in time'); process.exit(0); }, 6_500);
`;
			const result = await jail.javascript(code, { limits: { timeoutMs: 10_000, processes: 64 } });
			expect(ended(result)).toEqual({ status: 'succeeded', exitCode: 0, signal: null, problem: null });
		});

		test('a killed job still says what it used', async () => {
			const code = 'held = bytearray(40 << 20)\nwhile True: pass';
			const { peakMemoryBytes } = await jail.python(code, { limits: { timeoutMs: 1_000 } });
			expect(peakMemoryBytes).toBeGreaterThan(40 * MiB);
			expect(peakMemoryBytes).toBeLessThan(limits.memoryBytes.default);
		});
	});

	describe('memory', () => {
		test.each(greedy)('ends a job that fills it with %s', async (_, job) => {
			const result = await jail.run({ ...job, limits: { memoryBytes: 96 * MiB } });
			const { status, problem } = ended(result);
			expect({ status, problem }).toEqual({ status: 'out_of_memory', problem: limits.memoryBytes.problem });
			expect(result.problem?.message).toContain('96 MB');
		});

		test('memory that a program shares with its children after a fork counts once', async () => {
			const code = `
import os, time
held = bytearray(b'x') * (50 << 20)
for n in range(4):
    if os.fork() == 0:
        time.sleep(1)
        os._exit(0)
for n in range(4): os.wait()
print('fine')
`;
			expect(printed(await jail.python(code, { limits: { memoryBytes: 96 * MiB } }))).toBe('fine\n');
		});

		test('the peak is told, and the most that may be asked for can be used', async () => {
			const code = 'held = bytearray(400 << 20)\nprint(len(held) >> 20)';
			const result = await jail.python(code, { limits: { memoryBytes: limits.memoryBytes.ceiling } });
			expect(printed(result)).toBe('400\n');
			expect(result.peakMemoryBytes).toBeGreaterThan(400 * MiB);
		});
	});

	describe.concurrent('files', () => {
		test('the space of /work is its limit', async () => {
			const code =
				'with open("/work/x", "wb") as file:\n    for n in range(3): file.write(bytes(1 << 20)); file.flush()';
			const result = await jail.python(code, { limits: { workBytes: 2 * MiB } });
			expect(ended(result)).toEqual(failedAt('workBytes'));
			expect(result.stderr).toContain('No space left on device');
		});

		test.each(['/work', '/tmp', '/dev/shm'])('the number of files in %s is limited', async (folder) => {
			const code = `
made = 0
try:
    for n in range(9999):
        open(f'${folder}/{n}', 'w').close()
        made += 1
except OSError as error:
    print(made, error.strerror)
    raise SystemExit(1)
`;
			const result = await jail.python(code);
			const [made, ...why] = result.stdout.trim().split(' ');
			expect({ exitCode: result.exitCode, why: why.join(' ') }).toEqual({
				exitCode: 1,
				why: 'No space left on device',
			});
			expect(Number(made)).toBeGreaterThan(fixedLimits.workInodes - 50);
			expect(Number(made)).toBeLessThanOrEqual(fixedLimits.workInodes);
		});

		test.each(['/tmp', '/dev/shm'])('the space of %s is limited', async (folder) => {
			const code = `
import os
written = 0
try:
    with open('${folder}/x', 'wb', buffering=0) as file:
        while True: written += file.write(bytes(1 << 20))
except OSError as error: print(written, error.strerror)
`;
			expect(printed(await jail.python(code))).toBe(`${fixedLimits.tmpBytes} No space left on device\n`);
		});

		test('one file is limited, also one that is only a hole', async () => {
			const limited = { limits: { fileBytes: limits.fileBytes.floor } };
			const more = 2 * limits.fileBytes.floor;
			const [written, hole] = await Promise.all([
				jail.python(`open('/work/x', 'wb').write(bytes(${more}))`, limited),
				jail.python(`open('/work/x', 'wb').truncate(1 << 40)`, limited),
			]);
			expect([ended(written), ended(hole)]).toEqual([failedAt('fileBytes'), failedAt('fileBytes')]);
		});

		test('open files of one process are limited', async () => {
			const result = await jail.python('held = [open("/dev/null") for n in range(9999)]');
			expect(ended(result)).toEqual(failedAt('openFiles'));
			expect(result.problem?.message).toContain(String(limits.openFiles.default));
		});
	});

	describe('processes', () => {
		test.each<Row>([
			[
				'processes of Python',
				python('import os, time\nfor n in range(999):\n    if os.fork() == 0: time.sleep(9); os._exit(0)'),
			],
			[
				'threads of Python',
				python(
					'import threading, time\nfor n in range(999): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()',
				),
			],
		])('%s are limited together', async (_, job) => {
			const result = await jail.run(job);
			expect(ended(result)).toEqual(failedAt('processes'));
			expect(result.problem?.message).toContain(`${limits.processes.default} processes`);
		});

		test('the number is the one that was asked for', async () => {
			const code = `
import os, time
alive = 1
try:
    while True:
        if os.fork() == 0: time.sleep(9); os._exit(0)
        alive += 1
except BlockingIOError: print(alive)
`;
			expect(printed(await jail.python(code, { limits: { processes: limits.processes.floor } }))).toBe(
				`${limits.processes.floor}\n`,
			);
		});

		test.each<Row>([
			['Bash', bash(':(){ :|:& };:; sleep 2')],
			['Python', python('import os\nwhile True:\n    try: os.fork()\n    except OSError: pass')],
		])('a fork bomb in %s is over at the time limit, and a neighbour does not notice', async (_, job) => {
			const bomb = jail.run({ ...job, limits: { timeoutMs: 2_000 } });
			const neighbour = await jail.python(
				'import subprocess\nprint(subprocess.check_output(["echo", "here"], text=True), end="")',
			);
			expect(printed(neighbour)).toBe('here\n');
			const { status, durationMs } = await bomb;
			expect(['timed_out', 'failed', 'killed']).toContain(status);
			expect(durationMs).toBeLessThan(12_000);
		});
	});

	test('code that is too long is not run', async () => {
		const { default: limit, status, problem } = limits.codeCharacters;
		const result = await jail.python(`#${'ñ'.repeat(limit)}`);
		expect(ended(result)).toEqual({ status, exitCode: null, signal: null, problem });
		expect(result.problem?.message).toContain(String(limit + 1));
	});

	test.each(Object.entries(limits))('%s outside floor and ceiling is refused', async (name, { floor, ceiling }) => {
		const answers = await Promise.all(
			[floor - 1, ceiling + 1, floor + 0.5, null].map((value) =>
				jail.run({ language: 'python', code: 'print(1)', limits: { [name]: value } as JobRequestInput['limits'] }),
			),
		);
		const refused = { status: 'denied', exitCode: null, signal: null, problem: 'JOB_INVALID' };
		expect(answers.map(ended)).toEqual([refused, refused, refused, refused]);
	});
});
