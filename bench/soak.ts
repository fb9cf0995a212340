/**
 * Calls without a pause for some minutes, and looks at the same time whether anything grows: memory and descriptors of this process,
 * control groups, mounts, folders of runs, processes.
 *
 *   npm run bench:soak         10 minutes
 *   npm run bench:soak -- 1    1 minute
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { composeExecutor, parseJobRequest, warmSettings } from '../src/core/compose.ts';
import { childrenOf } from '../src/core/host/processes.ts';

const minutes = Number(process.argv[2] ?? 10);
const atOnce = 4;
const executor = composeExecutor({ warm: warmSettings({}), concurrency: atOnce });

const requests = [
	{ language: 'python', code: 'print("hello")' },
	{ language: 'javascript', code: 'console.log("hello")' },
	{ language: 'bash', code: 'echo hello' },
	{ language: 'python', code: 'print("hello")', warm: false },
	{ language: 'bash', code: 'echo hello > /work/out/file; echo hello', stdin: 'x' },
] as const;

interface Sample {
	readonly seconds: number;
	readonly jobs: number;
	readonly rssMiB: number;
	readonly descriptors: number;
	readonly groups: number;
	readonly mounts: number;
	readonly folders: number;
	readonly children: number;
}

const lines = (path: string): number => readFileSync(path, 'utf8').split('\n').length;

/** Folders below a control group of this process, wherever this machine has them. */
function groups(): number {
	const found = readFileSync('/proc/self/mountinfo', 'utf8').matchAll(/ (\/sys\/fs\/cgroup\S*) /g);
	const own = [...found].flatMap(([, point = '']) => {
		try {
			return readdirSync(`${point}/secure-code-${process.pid}`, { withFileTypes: true });
		} catch {
			return [];
		}
	});
	return own.filter((entry) => entry.isDirectory()).length;
}

const started = performance.now();
let jobs = 0;
let failures = 0;

/** Taken when nothing runs and everything that is called for waits. */
async function sample(): Promise<Sample> {
	await executor.settle();
	await sleep(500);
	globalThis.gc?.();
	return {
		seconds: Math.round((performance.now() - started) / 1000),
		jobs,
		rssMiB: Math.round(process.memoryUsage().rss / 1024 / 1024),
		descriptors: readdirSync('/proc/self/fd').length,
		groups: groups(),
		mounts: lines('/proc/self/mountinfo'),
		folders: readdirSync(tmpdir()).filter((name) => name.startsWith(`secure-code-run-${process.pid}-`)).length,
		children: childrenOf(process.pid).length,
	};
}

async function caller(until: number): Promise<void> {
	while (performance.now() < until) {
		const request = requests[jobs++ % requests.length] ?? requests[0];
		const { stdout } = await executor.run(parseJobRequest(request));
		if (stdout !== 'hello\n') failures++;
	}
}

const samples: Sample[] = [];
const roundMs = Math.max(10_000, (minutes * 60_000) / 20);
while (performance.now() - started < minutes * 60_000) {
	const until = performance.now() + roundMs;
	await Promise.all(Array.from({ length: atOnce }, () => caller(until)));
	samples.push(await sample());
	console.log(JSON.stringify(samples.at(-1)));
}
await executor.close();
await sleep(1_000);
const after = await sample();
console.log(`after close: ${JSON.stringify(after)}; ${failures} of ${jobs} jobs failed`);
const date = new Date().toISOString();
await mkdir('bench/runs', { recursive: true });
await writeFile(
	`bench/runs/soak-${date.slice(0, 19).replaceAll(':', '-')}.json`,
	`${JSON.stringify({ date, node: process.version, load: loadavg()[0], minutes, failures, samples, after })}\n`,
);
process.exit(failures === 0 ? 0 : 1);
