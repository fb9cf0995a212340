/**
 * Measures a command on a device over the native protocol, jailed, against plain `ssh host command`, both over loopback and in
 * turns: the time to the first byte of output, and commands per second. Prints the memory of the idle agent as well.
 *
 *   npm run bench:agent            30 rounds
 *   npm run bench:agent -- 100     100 rounds
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RemoteShell as RemoteShellNode } from '../nodes/RemoteShell/RemoteShell.node.ts';
import type { RemoteCommand } from '../src/contract/remote.ts';
import type { DeviceClient } from '../src/device/client/client.ts';
import { createClient } from '../src/device/client/create.ts';
import { fakeContext } from '../test/helpers/n8n.ts';

const rounds = Number(process.argv[2] ?? 30);
/** Commands at a time when throughput is measured, and how many in all for each side and round of it. */
const atATime = 8;
const batch = 40;

/** What the project promises against ssh. */
const goals = { latencyRatio: 0.5, throughputRatio: 2, idleMegabytes: 90, shareMs: 20 };

interface Side {
	readonly name: string;
	/** @returns milliseconds until the first byte of the output of `echo hello` */
	firstByte(): Promise<number>;
	once(): Promise<void>;
}

const stopping: (() => Promise<void> | void)[] = [];

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	server.close();
	return port;
}

function end(child: ChildProcess): Promise<void> {
	child.kill('SIGTERM');
	return child.exitCode === null ? once(child, 'exit').then(() => {}) : Promise.resolve();
}

/** An ordinary sshd with keys made for this run; commands run as whoever runs the bench. */
async function sshSide(folder: string): Promise<Side> {
	const key = join(folder, 'client');
	const hostKey = join(folder, 'host');
	for (const path of [key, hostKey]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
	await writeFile(join(folder, 'authorized'), await readFile(`${key}.pub`), { mode: 0o600 });
	const port = await freePort();
	await mkdir('/run/sshd', { recursive: true });
	const settings = [
		...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${hostKey}`, `AuthorizedKeysFile ${folder}/authorized`],
		...[
			'PasswordAuthentication no',
			'UsePAM no',
			'StrictModes no',
			'PermitRootLogin yes',
			'MaxStartups 100',
			'PidFile none',
		],
	];
	await writeFile(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
	const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: 'ignore' });
	stopping.push(() => end(server));
	await pause(500);
	const words = [
		...['-F', 'none', '-i', key, '-p', String(port), '-o', 'StrictHostKeyChecking=no', '-o', 'BatchMode=yes'],
		...['-o', `UserKnownHostsFile=${folder}/known`, '-o', 'LogLevel=ERROR', '127.0.0.1', 'echo hello'],
	];
	const run = async (): Promise<number> => {
		const start = performance.now();
		const child = spawn('ssh', words, { stdio: ['ignore', 'pipe', 'inherit'] });
		const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
		const first = performance.now() - start;
		if (chunk.toString() !== 'hello\n') throw new Error(`ssh printed ${chunk}`);
		if (child.exitCode === null) await once(child, 'exit');
		return first;
	};
	return { name: 'ssh host command', firstByte: run, once: async () => void (await run()) };
}

const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');

interface Started {
	readonly side: Side;
	readonly pid: number;
	readonly dir: string;
	/** The credential of the node. */
	readonly access: Record<string, string>;
}

/** The agent as "agent init" leaves it: default policy, default jail. */
async function agentSide(folder: string): Promise<Started> {
	const dir = join(folder, 'agent');
	const printed = execFileSync(process.execPath, [
		main,
		'agent',
		'init',
		'--dir',
		dir,
		'--faces',
		'native',
		'--port-base',
		String(await freePort()),
		'--json',
	]);
	const { url, key, ca } = JSON.parse(printed.toString()).faces.native;
	const server = spawn(process.execPath, [main, 'agent', 'serve', '--dir', dir], { stdio: 'ignore' });
	stopping.push(() => end(server));
	const client = createClient('device', {
		protocol: 'native',
		url,
		ca,
		key: typeof key === 'string' ? key : JSON.stringify(key),
	});
	stopping.push(() => client.close());
	await untilUp(client);
	const access = { alias: 'device', url, ca, key: typeof key === 'string' ? key : JSON.stringify(key) };
	return { side: overClient(client), pid: server.pid ?? 0, dir, access };
}

async function untilUp(client: DeviceClient): Promise<void> {
	for (let tries = 0; tries < 100; tries++) {
		if (
			await client.health().then(
				({ isHealthy }) => isHealthy,
				() => false,
			)
		)
			return;
		await pause(100);
	}
	throw new Error('the agent did not come up');
}

function overClient(client: DeviceClient): Side {
	let count = 0;
	const command = (): RemoteCommand => ({
		command: { mode: 'argv', argv: ['echo', 'hello', String(count)] },
		env: {},
		labels: {},
		idempotencyKey: `bench-${process.pid}-${count++}`,
	});
	return {
		name: 'secure-code agent, jailed',
		async firstByte() {
			const start = performance.now();
			let first = 0;
			const result = await client.run(command(), {
				onOutput: () => {
					first ||= performance.now() - start;
				},
			});
			if (!result.stdout.startsWith('hello ') || first === 0)
				throw new Error(`the agent answered ${JSON.stringify(result)}`);
			return first;
		},
		async once() {
			const { stdout } = await client.run(command());
			if (!stdout.startsWith('hello ')) throw new Error(`the agent printed ${stdout}`);
		},
	};
}

/** The built node, as n8n loads it. */
const { RemoteShell } = createRequire(import.meta.url)('../dist/nodes/RemoteShell/RemoteShell.node.js');
const node: RemoteShellNode = new RemoteShell();

/** A run of the Remote Shell node without n8n around it: parameters and credential are read, the job goes over the wire, an item comes back. */
async function nodeCall(access: Record<string, string>, count: number): Promise<{ jobId: string; tookMs: number }> {
	const parameters = { targets: '*', operation: 'run', commandMode: 'argv', argv: ['echo', 'hello', String(count)] };
	const { context } = fakeContext({
		properties: node.description.properties,
		parameters,
		credentials: { remoteShellNativeApi: access },
		executionId: `bench-${process.pid}-${count}`,
		items: [{ json: {} }],
	});
	const start = performance.now();
	const [items] = await node.execute.call(context);
	return { jobId: String(items?.[0]?.json.jobId), tookMs: performance.now() - start };
}

/** What a call takes beside the job itself, whose time the agent tells: from its acceptance to its end. */
async function shareOfNode({ dir, access }: Started): Promise<number[]> {
	const calls = [];
	for (let round = 0; round < rounds + 1; round++) calls.push(await nodeCall(access, round));
	const printed = execFileSync(process.execPath, [
		main,
		'agent',
		'jobs',
		'list',
		'--dir',
		dir,
		'--json',
		'--limit',
		'200',
	]);
	const { jobs } = JSON.parse(printed.toString()) as { jobs: { jobId: string; acceptedAt: number; endedAt: number }[] };
	const took = new Map(jobs.map(({ jobId, acceptedAt, endedAt }) => [jobId, endedAt - acceptedAt]));
	return calls.slice(1).map(({ jobId, tookMs }) => tookMs - (took.get(jobId) ?? Number.NaN));
}

const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function perSecond(side: Side): Promise<number> {
	let left = batch;
	const start = performance.now();
	const work = async () => {
		while (left-- > 0) await side.once();
	};
	await Promise.all(Array.from({ length: atATime }, work));
	return batch / ((performance.now() - start) / 1000);
}

async function residentMegabytes(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function measure(sides: readonly Side[]): Promise<Map<string, { first: number[]; rate: number[] }>> {
	const measured = new Map(sides.map(({ name }) => [name, { first: [] as number[], rate: [] as number[] }]));
	for (const side of sides) await side.firstByte();
	for (let round = 0; round < rounds; round++)
		for (const side of sides) measured.get(side.name)?.first.push(await side.firstByte());
	for (let round = 0; round < Math.max(3, Math.floor(rounds / 10)); round++)
		for (const side of sides) measured.get(side.name)?.rate.push(await perSecond(side));
	return measured;
}

const folder = await mkdtemp('/tmp/secure-code-bench-agent-');
await chmod(folder, 0o755);
try {
	const started = await agentSide(folder);
	const { side: agent, pid } = started;
	await pause(3_000);
	const idleMegabytes = await residentMegabytes(pid);
	const ssh = await sshSide(folder);
	const measured = await measure([ssh, agent]);
	const share = await shareOfNode(started);
	const rows = [...measured].map(([name, { first, rate }]) => ({
		name,
		firstMs: median(first),
		perSecond: median(rate),
		first,
		rate,
	}));
	console.log('| started by | first byte, median ms | commands per second |\n| --- | ---: | ---: |');
	for (const { name, firstMs, perSecond: rate } of rows)
		console.log(`| ${name} | ${firstMs.toFixed(1)} | ${rate.toFixed(1)} |`);
	const [bySsh, byAgent] = rows;
	const latency = (byAgent?.firstMs ?? Number.NaN) / (bySsh?.firstMs ?? Number.NaN);
	const throughput = (byAgent?.perSecond ?? Number.NaN) / (bySsh?.perSecond ?? Number.NaN);
	const verdict = (isMet: boolean) => (isMet ? 'met' : 'MISSED');
	console.log(
		`first byte: ${latency.toFixed(2)} × ssh, goal ≤ ${goals.latencyRatio}: ${verdict(latency <= goals.latencyRatio)}`,
	);
	console.log(
		`commands per second: ${throughput.toFixed(2)} × ssh, goal ≥ ${goals.throughputRatio}: ${verdict(throughput >= goals.throughputRatio)}`,
	);
	console.log(
		`idle agent: ${idleMegabytes.toFixed(1)} MB, goal ≤ ${goals.idleMegabytes}: ${verdict(idleMegabytes <= goals.idleMegabytes)}`,
	);
	const shareMs = median(share);
	console.log(
		`node and wire without the job: ${shareMs.toFixed(1)} ms, goal ≤ ${goals.shareMs}: ${verdict(shareMs <= goals.shareMs)}`,
	);
	const date = new Date().toISOString();
	const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version };
	const file = join(import.meta.dirname, 'runs', `agent-${date.slice(0, 19).replaceAll(':', '-')}.json`);
	await writeFile(
		file,
		`${JSON.stringify({ date, machine, rounds, atATime, batch, idleMegabytes, share, rows }, null, '\t')}\n`,
	);
	console.log(`raw times in ${file}`);
} finally {
	for (const stop of stopping.reverse()) await stop();
	await rm(folder, { recursive: true });
}
