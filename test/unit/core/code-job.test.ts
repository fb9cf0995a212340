import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { describe, expect, it, vi } from 'vitest';
import { KnownError, problemFor } from '../../../src/contract/error.ts';
import type { JobRequestInput } from '../../../src/contract/job.ts';
import { fixedLimits, limits } from '../../../src/contract/limits.ts';
import { createExecutor } from '../../../src/core/code-job.ts';
import { inspect } from '../../../src/core/inspect.ts';
import type { Boxes, Inspector, JobContext } from '../../../src/core/ports.ts';
import { FairQueue } from '../../../src/core/queue.ts';
import { withoutRun } from '../../../src/core/result.ts';
import type { BoxIo, BoxOutcome, BoxSpec } from '../../../src/core/sandbox/backend.ts';
import type { Runtime } from '../../../src/core/sandbox/runtimes/runtime.ts';
import { goodOutcome, request } from '../../helpers/box.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

type Act = (spec: BoxSpec, io: BoxIo) => Promise<BoxOutcome>;

const bash: Runtime = {
	language: 'bash',
	version: '5.2',
	lack: null,
	hostProgram: '/usr/bin/bash',
	hostFiles: {},
	texts: {},
	links: {},
	hostFolders: [],
	overlays: {},
	launch: () => ({ argv: ['/usr/bin/bash'], env: {}, files: [], limitAddressSpace: false }),
};

/** A box in which `act` happens instead of a program. */
function fakeBoxes(act: Act, more: Partial<Boxes> = {}): Boxes {
	return {
		backend: {
			name: 'fake',
			probe: async () => ({ backend: 'fake', tier: 'full', steps: [] }),
			run: async (spec, io) => ({ ...(await act(spec, io)), tier: 'full', start: 'cold' }),
			settle: async () => {},
			close: async () => {},
		},
		runtimeFor: async () => bash,
		packagesFor: () => ({ binds: [], modules: [] }),
		bundlesWith: () => [],
		sessionFor: () => {
			throw new Error('no session was asked for');
		},
		shareInputs: async () => undefined,
		...more,
	};
}

const inspector: Inspector = async (job) => inspect(job);

const script = (more: Partial<JobRequestInput> = {}) => request({ script: 'true', check: false, ...more });

const run = (act: Act, job = script(), context: JobContext = {}, more: Partial<Boxes> = {}) =>
	createExecutor({ boxes: fakeBoxes(act, more), queue: new FairQueue(1, 1), inspect: inspector }).run(job, context);

const succeed: Act = async () => goodOutcome;

/** Ends when it is told to, as a killed program does. */
const untilStopped: Act = (_spec, io) =>
	new Promise((resolve) => {
		io.signal.addEventListener('abort', () => resolve({ ...goodOutcome, exit: null, stopped: io.signal.reason }));
	});

describe('a program that failed at the network', () => {
	const failing =
		(stderr: string): Act =>
		async (_spec, io) => {
			io.onOutput('stderr', Buffer.from(stderr));
			return { ...goodOutcome, exit: { code: 1, signal: null } };
		};
	const problemOf = async (stderr: string, network: JobRequestInput['network']) =>
		(await run(failing(stderr), script({ network }))).problem;

	it.each([
		'socket.gaierror: [Errno -3] Temporary failure in name resolution',
		'curl: (6) Could not resolve host: a.com',
		'Error: getaddrinfo EAI_AGAIN a.com',
		'OSError: [Errno 101] Network is unreachable',
	])('is told that there is none: %s', async (stderr) => {
		expect(await problemOf(stderr, 'none')).toEqual(problemFor('NETWORK_OFF'));
	});

	it('is told that bare addresses lead nowhere where names do', async () => {
		const details = 'a bare address, or something else than TCP to a name';
		expect(await problemOf('connect ENETUNREACH 10.0.0.1:80', ['a.com'])).toEqual(
			problemFor('NETWORK_REFUSED', { details, allowed: 'a.com' }),
		);
	});

	it('is not told so when it speaks of something else', async () => {
		expect(await problemOf('ValueError: 7', 'none')).toBeNull();
	});
});

describe('a bundle that was made for another Python', () => {
	const python: Runtime = { ...bash, language: 'python', version: '3.13.1' };
	const runWith = (pythonVersion: string, runtime: Runtime) =>
		run(
			succeed,
			script({ bundle: 'data' }),
			{},
			{
				runtimeFor: async () => runtime,
				packagesFor: () => ({ binds: [], modules: [], pythonVersion }),
			},
		);

	it('is refused, and one for the same Python or another language is not', async () => {
		await expect(runWith('3.11.2', python)).rejects.toThrow(
			'the packages of the bundle "data" were made for Python 3.11 and Python 3.13 runs here',
		);
		const others = [await runWith('3.13.0', python), await runWith('3.11.2', bash)];
		expect(others.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
	});
});

describe('a job with secrets', () => {
	const secretValues = { KEY: 'hunter2-hunter3' };

	it('says none of them, however its output is cut and coloured, neither live nor in the end', async () => {
		const live: string[] = [];
		const print: Act = async (_spec, io) => {
			for (const part of ['<hun', 'ter2-', 'hunter3>\n']) io.onOutput('stdout', Buffer.from(part));
			io.onOutput('stderr', Buffer.from([...secretValues.KEY].join('\u001b[31m')));
			return goodOutcome;
		};
		const onOutput: JobContext['onOutput'] = (stream, chunk) => void live.push(`${stream} ${chunk}`);
		const { stdout, stderr, problem } = await run(print, script(), { secretValues, onOutput });
		expect([stdout, stderr, problem]).toEqual(['<•••KEY•••>\n', '•••KEY•••', null]);
		expect(live.slice(0, 2)).toEqual(['stdout <', 'stdout •••KEY•••>\n']);
	});

	it('keeps nothing of a secret whose beginning was seen live', async () => {
		const live: string[] = [];
		const print: Act = async (_spec, io) => {
			io.onOutput('stdout', Buffer.from('see hun'));
			await sleep(250);
			io.onOutput('stdout', Buffer.from('ter2-hunter3\n'));
			return goodOutcome;
		};
		const onOutput: JobContext['onOutput'] = (_stream, chunk) => void live.push(chunk.toString());
		const { stdout } = await run(print, script(), { secretValues, onOutput });
		expect([live, stdout]).toEqual([['see ', 'hun', '•••KEY•••\n'], 'see •••KEY•••\n']);
	});

	it('runs with a value that cannot be masked, and names it', async () => {
		const { status, problem } = await run(succeed, script(), { secretValues: { FLAG: 'true' } });
		expect([status, problem]).toEqual(['succeeded', problemFor('SECRET_UNMASKED', { names: 'FLAG' })]);
	});

	it('holds a placeholder for a secret that is bound to hosts, with a network and without', async () => {
		const specs: BoxSpec[] = [];
		const keep: Act = async (spec) => {
			specs.push(spec);
			return goodOutcome;
		};
		const context = { secretValues: { ...secretValues, FREE: 'given-as-it-is' }, secretHosts: { KEY: ['a.example'] } };
		for (const network of ['none', ['a.example']] as const)
			await run(
				keep,
				script({ secrets: ['KEY', 'FREE'], network: network === 'none' ? network : [...network] }),
				context,
			);
		const placeholder = expect.stringMatching(/^scp_[\w-]{32}$/);
		expect(specs.map(({ secretEnv }) => secretEnv)).toEqual([
			{ KEY: placeholder, FREE: 'given-as-it-is' },
			{ KEY: placeholder, FREE: 'given-as-it-is' },
		]);
		expect(JSON.stringify(specs)).not.toContain(secretValues.KEY);
		const authorities = specs.map(({ files }) => files.filter(({ path }) => path.endsWith('authority.pem')).length);
		expect(authorities).toEqual([0, 1]);
	});

	it.each([
		['a host that is none', { KEY: 'hunter2-hunter3' }, ['https://a.example'], '"https://a.example" is not a host'],
		['a value that cannot be masked', { KEY: 'short' }, ['a.example'], 'too short or too common'],
	])('does not run when a secret is bound with %s', async (_what, values, hosts, words) => {
		const act = vi.fn(succeed);
		const job = script({ secrets: ['KEY'] });
		const refused = run(act, job, { secretValues: values, secretHosts: { KEY: hosts } });
		await expect(refused).rejects.toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
		await expect(refused).rejects.toThrow(words);
		expect(act).not.toHaveBeenCalled();
	});

	it('does not run when a secret would steer the loader outside the jail', async () => {
		const act = vi.fn(succeed);
		const job = script({ secrets: ['LD_PRELOAD'] });
		const { status } = await run(act, job, { secretValues: { LD_PRELOAD: '/work/evil.so' } });
		expect([status, act.mock.calls]).toEqual(['denied', []]);
	});
});

describe('a job', () => {
	it('becomes one result that says everything', async () => {
		const result = await run(async (_spec, io) => {
			io.onOutput('stdout', Buffer.from('\u001b[32m45\u001b[0m\n'));
			io.onOutput('stderr', Buffer.from('note'));
			return goodOutcome;
		});
		expect(result).toEqual({
			status: 'succeeded',
			exitCode: 0,
			signal: null,
			stdout: '45\n',
			stderr: 'note',
			truncated: { stdout: false, stderr: false },
			durationMs: 21,
			cpuMs: 14,
			peakMemoryBytes: 9_437_184,
			queuedMs: 0,
			language: 'bash',
			backend: 'fake',
			tier: 'full',
			start: 'cold',
			findings: [],
			files: [],
			problem: null,
		});
	});

	it('hands its stdin on', async () => {
		const seen: unknown[] = [];
		const act: Act = async (_spec, io) => {
			seen.push(io.stdin);
			return goodOutcome;
		};
		await run(act, script({ stdin: 'in' }));
		await run(act);
		expect(seen).toEqual(['in', undefined]);
	});

	it('shows the listener every byte as it was printed', async () => {
		const heard: unknown[] = [];
		const onOutput: JobContext['onOutput'] = (stream, chunk) => heard.push([stream, chunk.toString()]);
		await run(
			async (_spec, io) => {
				io.onOutput('stderr', Buffer.from('\u0007a'));
				return goodOutcome;
			},
			script(),
			{ onOutput },
		);
		expect(heard).toEqual([['stderr', '\u0007a']]);
	});

	it('cuts each stream at its own limit', async () => {
		const outputBytes = limits.outputBytes.floor;
		const { truncated } = await run(
			async (_spec, io) => {
				io.onOutput('stdout', Buffer.alloc(outputBytes + 1, 0x61));
				io.onOutput('stderr', Buffer.alloc(outputBytes, 0x61));
				return goodOutcome;
			},
			script({ limits: { outputBytes } }),
		);
		expect(truncated).toEqual({ stdout: true, stderr: false });
	});
});

describe('a job that is ended', () => {
	it('floods its output, both streams together', async () => {
		const result = await run((spec, io) => {
			const outcome = untilStopped(spec, io);
			io.onOutput('stdout', Buffer.alloc(fixedLimits.totalOutputBytes));
			expect(io.signal.aborted).toBe(false);
			io.onOutput('stderr', Buffer.alloc(1));
			return outcome;
		});
		expect([result.status, result.problem?.code]).toEqual(['output_exceeded', 'LIMIT_OUTPUT']);
	});

	it('is cancelled while it runs', async () => {
		const controller = new AbortController();
		const result = run(untilStopped, script(), { signal: controller.signal });
		setTimeout(() => controller.abort(), 5);
		expect((await result).status).toBe('cancelled');
	});

	it('is cancelled before it had its turn, so that nothing runs', async () => {
		const act = vi.fn(succeed);
		const result = await run(act, script(), { signal: AbortSignal.abort() });
		expect(result).toEqual(withoutRun('cancelled', problemFor('JOB_CANCELLED'), { language: 'bash' }));
		expect(act).not.toHaveBeenCalled();
	});
});

describe('a job that cannot be', () => {
	it.each<[string, Partial<JobRequestInput>, string, string]>([
		['a secret that does not exist', { secrets: ['KEY'] }, 'secrets', 'there is no secret called KEY'],
	])('is refused for %s', async (_what, more, field, details) => {
		const act = vi.fn(succeed);
		const problem = problemFor('JOB_UNSUPPORTED', { field, details });
		expect(await run(act, script(more))).toEqual(withoutRun('denied', problem));
		expect(act).not.toHaveBeenCalled();
	});

	it('is refused for a host that is none', async () => {
		await expect(run(succeed, script({ network: ['http://a.com/x'] }))).rejects.toThrow(
			'"http://a.com/x" is not a host',
		);
	});

	it('runs with an empty list of hosts, which means none', async () => {
		expect((await run(succeed, script({ network: [] }))).status).toBe('succeeded');
	});
});

describe('the queue', () => {
	it('turns a job away when it is full, and says how long another has waited', async () => {
		let letGo = () => {};
		const go = new Promise<void>((resolve) => {
			letGo = resolve;
		});
		const executor = createExecutor({
			boxes: fakeBoxes(() => go.then(() => goodOutcome)),
			queue: new FairQueue(1, 1),
			inspect: inspector,
		});
		const first = executor.run(script());
		const second = executor.run(script());
		expect(await executor.run(script())).toEqual(
			withoutRun('denied', problemFor('QUEUE_FULL', { waiting: 1 }), { language: 'bash' }),
		);
		setTimeout(letGo, 20);
		expect((await first).queuedMs).toBe(0);
		expect((await second).queuedMs).toBeGreaterThanOrEqual(15);
	});

	it('gets its slot back when the sandbox fails', async () => {
		const queue = new FairQueue(1, 1);
		const failing = fakeBoxes(async () => {
			throw new KnownError('SANDBOX_UNAVAILABLE', { details: 'gone' });
		});
		await expect(createExecutor({ boxes: failing, queue, inspect: inspector }).run(script())).rejects.toThrow('gone');
		expect((await createExecutor({ boxes: fakeBoxes(succeed), queue, inspect: inspector }).run(script())).status).toBe(
			'succeeded',
		);
	});
});

describe('what a job brings along', () => {
	it('is removed at the end, even when the sandbox fails', async () => {
		const remove = vi.fn();
		const shareInputs = async () => ({ path: '/tmp/in', remove });
		const specs: BoxSpec[] = [];
		const remember: Act = async (spec) => {
			specs.push(spec);
			return goodOutcome;
		};
		const fail: Act = async () => {
			throw new Error('broken');
		};
		await run(remember, script(), {}, { shareInputs });
		await expect(run(fail, script(), {}, { shareInputs })).rejects.toThrow('broken');
		expect(remove).toHaveBeenCalledTimes(2);
		expect(specs[0]?.binds).toEqual([{ hostPath: '/tmp/in', path: '/work/in' }]);
	});
});

describe('files of a job', () => {
	async function archive(names: readonly string[]): Promise<Readable> {
		const packer = pack();
		for (const name of names) packer.entry({ name }, 'x');
		packer.finalize();
		return Readable.from([Buffer.from('0 0 -\n'), await buffer(packer)]);
	}

	const deep = `out/${'d/'.repeat(9)}x`;

	const leave =
		(...names: string[]): Act =>
		async (_spec, io) => {
			io.onCollected?.(await archive(names));
			return goodOutcome;
		};

	it('lie in the folder that the caller named', async () => {
		const outDir = tempFolder();
		const { files, problem } = await run(leave('out/a.txt'), script(), { outDir });
		expect({ files, problem }).toEqual({
			files: [{ name: 'a.txt', type: 'text/plain', bytes: 1, preview: 'x', path: `${outDir}/a.txt` }],
			problem: null,
		});
	});

	it('are named as incomplete when some had to stay', async () => {
		const result = await run(leave('out/a', deep), script(), { outDir: tempFolder() });
		expect([result.status, result.problem]).toEqual([
			'succeeded',
			problemFor('FILES_INCOMPLETE', { details: `${deep.slice(4)} (deeper than 8 folders)` }),
		]);
	});

	it('are named as incomplete also when there is something else to say', async () => {
		const failing: Act = async (spec, io) => ({
			...(await leave('out/a', deep)(spec, io)),
			exit: { code: null, signal: 'SIGSEGV' },
		});
		const { problem } = await run(failing, script(), { outDir: tempFolder() });
		const signalled = problemFor('PROGRAM_SIGNALLED', { signal: 'SIGSEGV' });
		const incomplete = problemFor('FILES_INCOMPLETE', { details: `${deep.slice(4)} (deeper than 8 folders)` });
		const unfinished = problemFor('FILES_UNFINISHED');
		const message = `${signalled.message} ${unfinished.message} ${incomplete.message}`;
		expect(problem).toEqual({ ...signalled, message });
	});

	it.each([
		['succeeded', { code: 0, signal: null }, null],
		['failed', { code: 3, signal: null }, null],
		['was killed', { code: null, signal: 'SIGSEGV' }, 'may be incomplete'],
	])('of a program that %s are called unfinished only where they may be', async (_what, exit, words) => {
		const act: Act = async (spec, io) => ({ ...(await leave('out/a')(spec, io)), exit });
		const { problem, files } = await run(act, script(), { outDir: tempFolder() });
		expect([files.length, problem?.message.includes('may be incomplete') ?? false]).toEqual([1, words !== null]);
	});
});
