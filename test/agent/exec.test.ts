/** The exec side as its own process and, where root can give one, its own user: jobs go in over its socket, and nothing else does. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DeviceJob } from '../../src/core/runner/runner.ts';
import { connectRunner } from '../../src/device/agent/exec/client.ts';
import { encodeFrame } from '../../src/device/agent/exec/frames.ts';
import { openPolicy, TestAgent } from '../helpers/agent.ts';
import { alive, clingingScript, newMark, until } from '../helpers/clinging.ts';
import { type Installation, identities, install, start } from '../helpers/jail.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const soonMs = 20_000;
const identity = identities[1] ?? expect.fail('there is no ordinary user');
const isRoot = process.getuid?.() === 0;

let at: Installation;
let socket: string;
let policy: string;
let exec: ChildProcess;

function own(path: string): string {
	if (at.user.uid !== undefined && at.user.gid !== undefined) chownSync(path, at.user.uid, at.user.gid);
	return path;
}

/** Starts the exec side and waits until it says that it is ready. */
async function serve(...more: readonly string[]): Promise<{ child: ChildProcess; text: () => string }> {
	const dir = join(at.env.HOME ?? '', 'exec');
	mkdirSync(dir, { recursive: true });
	own(dir);
	const child = start(at, ['agent', 'exec', '--dir', dir, '--socket', socket, '--policy', policy, ...more]);
	let text = '';
	for (const stream of [child.stdout, child.stderr])
		stream?.on('data', (piece) => {
			text += piece;
		});
	await until(() => text.includes('"ready"') || child.exitCode !== null, soonMs);
	return { child, text: () => text };
}

beforeAll(async () => {
	at = await install(identity);
	const folder = join(at.folder, 'run');
	mkdirSync(folder, { mode: 0o750 });
	own(folder);
	socket = join(folder, 'exec.sock');
	policy = join(at.folder, 'policy.yaml');
	writeFileSync(policy, openPolicy());
	({ child: exec } = await serve());
});

afterAll(async () => {
	exec.kill('SIGTERM');
	if (exec.exitCode === null && exec.signalCode === null) await once(exec, 'exit');
	rmSync(at.folder, { recursive: true, force: true });
});

const jobOf = (script: string, change: Partial<DeviceJob> = {}): DeviceJob => ({
	jobId: 'job-1',
	plan: { mode: 'script', script, shell: 'bash' },
	profile: 'default',
	cwd: null,
	env: {},
	stdin: null,
	network: null,
	image: null,
	container: null,
	limits: {
		timeoutMs: 60_000,
		idleTimeoutMs: null,
		outputBytes: 100_000_000,
		floodBytes: 100_000_000,
		memoryBytes: 268_435_456,
		processes: 64,
	},
	...change,
});

async function run(job: DeviceJob, signal: AbortSignal = new AbortController().signal) {
	let stdout = '';
	const onOutput = (_stream: string, chunk: Buffer) => {
		stdout += chunk;
	};
	const outcome = await connectRunner(socket).run(job, { stdin: undefined, onOutput, signal });
	const { stopped, exit, fault, backend, isConfirmedDead } = outcome;
	return { stdout, stopped, exit, fault, backend, isConfirmedDead };
}

const good = { stopped: null, exit: { code: 0, signal: null }, fault: null, backend: 'nsjail', isConfirmedDead: true };

/** Sends bytes as they are and hears everything until the other side hangs up. */
async function say(bytes: Buffer): Promise<string> {
	const peer = connect(socket);
	let heard = '';
	peer.on('data', (piece) => {
		heard += piece;
	});
	peer.on('error', () => {});
	peer.write(bytes);
	await once(peer, 'close');
	return heard;
}

describe('the exec side', () => {
	it('runs a job as its own user and tells how it ended', async () => {
		expect(await run(jobOf('id -u; cat', { stdin: 'given' }))).toEqual({ ...good, stdout: `${identity.uid}\ngiven` });
		expect((await run(jobOf('exit 9'))).exit).toEqual({ code: 9, signal: null });
	});

	it('says what its profiles can do', async () => {
		const steps = await connectRunner(socket).probe();
		expect(steps.map(({ name }) => name)).toContain('profile default');
	});

	it('takes only profiles of its own policy', async () => {
		await expect(run(jobOf('id', { profile: 'other' }))).rejects.toMatchObject({ code: 'PROFILE_UNUSABLE' });
	});

	it('passes the sentences of a refusal on', async () => {
		await expect(run(jobOf('id', { cwd: '/nowhere' }))).rejects.toMatchObject({
			code: 'JOB_INVALID',
			problem: { message: expect.stringContaining('/nowhere') },
		});
	});

	it('ends a job that is cancelled', async () => {
		const [mark, stop] = [newMark(), new AbortController()];
		const job = run(jobOf(clingingScript(['setsid', 'forking twice', 'ignoring TERM'], mark)), stop.signal);
		expect(await until(() => alive(mark).length > 0, soonMs)).toBe(true);
		stop.abort('cancelled');
		expect(await job).toEqual({ ...good, exit: null, stopped: 'cancelled', stdout: expect.anything() });
		expect(alive(mark)).toEqual([]);
	});

	it('ends the jobs of a front that goes away', async () => {
		const mark = newMark();
		const front = connect(socket);
		front.write(encodeFrame({ type: 'run', job: jobOf(clingingScript(['setsid', 'nohup'], mark)) }));
		expect(await until(() => alive(mark).length > 0, soonMs)).toBe(true);
		front.destroy();
		expect(await until(() => alive(mark).length === 0, soonMs)).toBe(true);
	});

	it('runs twenty jobs at a time', async () => {
		const ran = await Promise.all(Array.from({ length: 20 }, (_, n) => run(jobOf(`sleep 0.1; echo ${n}`))));
		expect(ran).toEqual(ran.map((_, n) => ({ ...good, stdout: `${n}\n` })));
	});

	it('holds a job back whose output nobody takes, and loses none of it', async () => {
		let bytes = 0;
		let let_go = () => {};
		const held = new Promise<void>((resolve) => {
			let_go = resolve;
		});
		const io = {
			stdin: undefined,
			signal: new AbortController().signal,
			onOutput: (_stream: string, chunk: Buffer) => {
				bytes += chunk.length;
				return bytes > 200_000 ? held : undefined;
			},
		};
		const job = connectRunner(socket).run(jobOf('head -c 30000000 /dev/zero'), io);
		expect(await until(() => bytes > 200_000, soonMs)).toBe(true);
		await sleep(500);
		const early = bytes;
		const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${exec.pid}/status`, 'utf8'))?.[1]);
		let_go();
		expect((await job).exit).toEqual({ code: 0, signal: null });
		expect([bytes, early < 3_000_000, rss < 250_000]).toEqual([30_000_000, true, true]);
	});

	it.each([
		['what is no frame', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'longer than'],
		['what is no JSON', Buffer.from('\0\0\0\x03{a}'), 'no JSON'],
		['a message of its own', encodeFrame({ type: 'shell', command: 'id' }), 'does not fit'],
		['a job with a profile inside', encodeFrame({ type: 'run', job: { ...jobOf('id'), rules: {} } }), 'does not fit'],
		[
			'a job that was forged',
			encodeFrame({ type: 'run', job: { __proto__: null, profile: 'default' } }),
			'does not fit',
		],
	])('refuses %s and serves on', async (_name, bytes, why) => {
		const answer = await say(bytes);
		expect(answer).toContain('REQUEST_INVALID');
		expect(answer).toContain(why);
		expect((await run(jobOf('echo on'))).stdout).toBe('on\n');
	});

	it('ends a job over whose connection a second one comes', async () => {
		const mark = newMark();
		const frame = encodeFrame({ type: 'run', job: jobOf(clingingScript([], mark)) });
		const peer = connect(socket);
		peer.on('error', () => {});
		peer.write(frame);
		expect(await until(() => alive(mark).length > 0, soonMs)).toBe(true);
		peer.write(frame);
		await Promise.all([once(peer, 'close'), peer.resume()]);
		expect(await until(() => alive(mark).length === 0, soonMs)).toBe(true);
	});

	it('survives two hundred connections that say nothing and go', async () => {
		const peers = Array.from({ length: 200 }, () => connect(socket));
		await Promise.all(peers.map((peer) => once(peer, 'connect')));
		for (const peer of peers) peer.destroy();
		expect((await run(jobOf('echo on'))).stdout).toBe('on\n');
	});

	it('has a socket for its owner and its group only', () => {
		expect(statSync(socket).mode & 0o777).toBe(0o660);
	});

	it.runIf(isRoot)('cannot be reached by another user', () => {
		const script =
			'import socket,sys\ns=socket.socket(socket.AF_UNIX)\ntry:\n s.connect(sys.argv[1]); print("in")\nexcept OSError as e: print(e.errno)';
		const as = (uid: number, gid: number) =>
			spawnSync('python3', ['-c', script, socket], { uid, gid, encoding: 'utf8', cwd: '/' }).stdout.trim();
		expect([as(12_345, 12_345), as(12_345, at.user.gid ?? 0)]).toEqual(['13', 'in']);
	});

	it('reads its policy again on SIGHUP, and keeps the old one when the new is not valid', async () => {
		onTestFinished(async () => {
			writeFileSync(policy, openPolicy());
			exec.kill('SIGHUP');
			await sleep(300);
		});
		writeFileSync(policy, openPolicy().replaceAll('default', 'renamed'));
		exec.kill('SIGHUP');
		const isTaken = () =>
			run(jobOf('true', { profile: 'renamed' })).then(
				() => true,
				() => false,
			);
		for (let n = 0; n < 50 && !(await isTaken()); n++) await sleep(100);
		expect((await run(jobOf('echo new', { profile: 'renamed' }))).stdout).toBe('new\n');
		writeFileSync(policy, 'version: 7\n');
		exec.kill('SIGHUP');
		await sleep(300);
		expect((await run(jobOf('echo still', { profile: 'renamed' }))).stdout).toBe('still\n');
	});
});

describe('an exec side', () => {
	it('does not start with a policy that others can change', async () => {
		chmodSync(policy, 0o666);
		onTestFinished(() => chmodSync(policy, 0o644));
		const other = await serve('--socket', join(at.folder, 'run', 'other.sock'));
		expect([other.child.exitCode, other.text()]).toEqual([
			78,
			expect.stringContaining('can be changed by other users'),
		]);
	});

	it('does not listen where others can put files', async () => {
		const open = join(at.folder, 'open');
		mkdirSync(open);
		chmodSync(own(open), 0o777);
		const other = await serve('--socket', join(open, 'exec.sock'));
		expect([other.child.exitCode, other.text()]).toEqual([78, expect.stringContaining('can be changed by others')]);
	});

	it('does not take the socket of another that lives, and takes that of one that was killed', async () => {
		const second = await serve();
		expect([second.child.exitCode, second.text()]).toEqual([78, expect.stringContaining('another exec side')]);
		const path = join(at.folder, 'run', 'killed.sock');
		const killed = await serve('--socket', path);
		killed.child.kill('SIGKILL');
		await once(killed.child, 'exit');
		expect(existsSync(path)).toBe(true);
		const next = await serve('--socket', path);
		onTestFinished(() => void next.child.kill('SIGKILL'));
		expect(next.text()).toContain('"ready"');
		next.child.kill('SIGTERM');
		expect((await once(next.child, 'exit'))[0]).toBe(0);
	});

	it.each(['SIGKILL', 'SIGTERM'] as const)('that ends by %s takes its jobs with it', async (signal) => {
		const path = join(at.folder, 'run', `${signal}.sock`);
		const { child } = await serve('--socket', path);
		const mark = newMark();
		const job = connectRunner(path).run(jobOf(clingingScript(['setsid', 'forking twice', 'nohup'], mark)), {
			stdin: undefined,
			onOutput: () => {},
			signal: new AbortController().signal,
		});
		expect(await until(() => alive(mark).length > 0, soonMs)).toBe(true);
		child.kill(signal);
		const outcome = await job;
		expect(signal === 'SIGKILL' ? outcome.fault : outcome.stopped).toBe(
			signal === 'SIGKILL' ? 'the exec side of the agent went away' : 'cancelled',
		);
		expect(outcome.isConfirmedDead).toBe(signal === 'SIGTERM');
		expect(await until(() => alive(mark).length === 0, soonMs)).toBe(true);
	});

	it('that is not there is a clear error', async () => {
		const job = connectRunner(join(at.folder, 'run', 'nothing.sock')).run(jobOf('true'), {
			stdin: undefined,
			onOutput: () => {},
			signal: new AbortController().signal,
		});
		await expect(job).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
	});

	it.each([
		['garbage', Buffer.from('hello, is anybody there?')],
		['a message of its own', encodeFrame({ type: 'steps', steps: 'all' })],
		['an answer to something else', encodeFrame({ type: 'steps', steps: [] })],
		['a frame without end', Buffer.from([0xff, 0xff, 0xff, 0xff])],
		['nothing at all', Buffer.alloc(0)],
	])('that says %s is a fault of the sandbox, not of the front', async (_name, bytes) => {
		const path = join(tempFolder(), 'fake.sock');
		const fake = createServer((peer: Socket) => peer.on('data', () => peer.end(bytes)).on('error', () => {}));
		await new Promise<void>((resolve) => fake.listen(path, resolve));
		onTestFinished(() => void fake.close());
		const io = { stdin: undefined, onOutput: () => {}, signal: new AbortController().signal };
		const outcome = await connectRunner(path).run(jobOf('true'), io);
		expect([typeof outcome.fault, outcome.exit, outcome.isConfirmedDead]).toEqual(['string', null, false]);
	});
});

it('a whole agent runs its commands as the user of the exec side', async () => {
	const agent = await TestAgent.start({
		policy: openPolicy(),
		config: (config: Record<string, unknown>) => {
			config.runner = { socket };
		},
	});
	onTestFinished(() => agent.remove());
	const { url, token } = agent.faces.agent3;
	const body = JSON.stringify({ op: 'shell', args: { cmd: 'id -u' } });
	const answer = await fetch(url, { method: 'POST', headers: { 'X-Auth-Token': token }, body });
	expect(await answer.json()).toMatchObject({ stdout: `${identity.uid}\n`, exit_code: 0 });
});
