/** Starts the pinned n8n in a folder of its own and ends it again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** What bring-n8n.mjs prints. */
export interface N8nPlace {
	readonly folder: string;
	readonly node: string;
}

export interface N8nOptions {
	readonly place: N8nPlace;
	readonly userFolder: string;
	readonly port?: number;
	readonly command?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	/** What the log must say before n8n counts as ready; without it, n8n must answer at its address. */
	readonly readyText?: string;
	/** Aborting ends n8n, also while it starts. */
	readonly signal?: AbortSignal;
}

export interface N8nProcess {
	readonly baseUrl: string;
	readonly pid: number;
	readonly logFile: string;
	stop(): Promise<void>;
}

const startMs = 180_000;
const stopMs = 20_000;
const logTailCharacters = 4_000;

export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === 'string') throw new Error('no free port was found');
	return address.port;
}

const bringScript = join(import.meta.dirname, 'bring-n8n.mjs');

export async function bringN8n(signal?: AbortSignal): Promise<N8nPlace> {
	const bringing = promisify(execFile)(process.execPath, [bringScript], { signal });
	bringing.child.stderr?.pipe(process.stderr);
	return JSON.parse((await bringing).stdout);
}

const passedOn =
	/^(HOME|LANG|LC_.*|TMPDIR|XDG_.*|SECURE_CODE_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(https?|no)_proxy)$/i;

/** Only what is named here: the settings of a person's own n8n, its database above all, must not reach this one. */
const passedEnvironment = (): Record<string, string> =>
	Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => passedOn.test(entry[0])));

/** n8n keeps to its folder and its own address, and asks no server on the internet for anything. */
function environmentFor(options: N8nOptions, port: number, brokerPort: number): Record<string, string> {
	return {
		...passedEnvironment(),
		PATH: `${dirname(options.place.node)}${delimiter}${process.env.PATH}`,
		N8N_USER_FOLDER: options.userFolder,
		N8N_PORT: String(port),
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(brokerPort),
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		N8N_VERIFIED_PACKAGES_ENABLED: 'false',
		N8N_SECURE_COOKIE: 'false',
		...options.env,
	};
}

async function answers(baseUrl: string): Promise<boolean> {
	try {
		const ready = await fetch(`${baseUrl}/healthz/readiness`);
		return ready.ok && (await fetch(`${baseUrl}/rest/settings`)).ok;
	} catch {
		return false;
	}
}

interface Log {
	readonly file: string;
	tail: string;
}

function keepLog(child: ChildProcess, file: string): Log {
	const log: Log = { file, tail: '' };
	const stream = createWriteStream(file, { flags: 'a' });
	const keep = (chunk: Buffer) => {
		stream.write(chunk);
		log.tail = (log.tail + chunk).slice(-logTailCharacters);
	};
	child.stdout?.on('data', keep);
	child.stderr?.on('data', keep);
	return log;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function untilReady(child: ChildProcess, isReady: () => boolean | Promise<boolean>, log: Log): Promise<void> {
	const deadline = Date.now() + startMs;
	while (!(await isReady())) {
		if (hasEnded(child)) throw new Error(`n8n ended while it started. The end of ${log.file}:\n${log.tail}`);
		if (Date.now() > deadline) throw new Error(`n8n was not ready in time. The end of ${log.file}:\n${log.tail}`);
		await sleep(250);
	}
}

async function stop(child: ChildProcess): Promise<void> {
	if (hasEnded(child)) return;
	const ended = new Promise((resolve) => child.once('exit', resolve));
	child.kill('SIGTERM');
	const force = setTimeout(() => child.kill('SIGKILL'), stopMs);
	await ended;
	clearTimeout(force);
}

export async function startN8n(options: N8nOptions): Promise<N8nProcess> {
	const port = options.port ?? (await freePort());
	mkdirSync(options.userFolder, { recursive: true });
	const program = join(options.place.folder, 'node_modules', 'n8n', 'bin', 'n8n');
	const child = spawn(options.place.node, [program, ...(options.command ?? ['start'])], {
		cwd: options.userFolder,
		env: environmentFor(options, port, await freePort()),
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	options.signal?.addEventListener('abort', () => stop(child), { once: true });
	const log = keepLog(child, join(options.userFolder, `n8n-${port}.log`));
	const baseUrl = `http://127.0.0.1:${port}`;
	const { readyText } = options;
	const isReady = readyText === undefined ? () => answers(baseUrl) : () => log.tail.includes(readyText);
	try {
		await untilReady(child, isReady, log);
	} catch (error) {
		await stop(child);
		throw error;
	}
	return { baseUrl, pid: child.pid ?? 0, logFile: log.file, stop: () => stop(child) };
}
