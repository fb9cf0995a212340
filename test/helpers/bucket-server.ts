/** An S3-compatible server of its own on the loopback: moto, which keeps the conditions of S3. Brought once into the cache. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/n8n/n8n-process.ts';

const run = promisify(execFile);
const version = '5.2.5';
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'n8n-nodes-secure-code');
const folder = join(cache, `moto-${version}`);
const program = join(folder, 'bin', 'moto_server');

/** Undefined when the server is there or could be brought; else the reason, on which tests are skipped. In CI it has to be there. */
export async function whyNoBucketServer(): Promise<string | undefined> {
	if (existsSync(program)) return undefined;
	try {
		await run('python3', ['-m', 'venv', folder]);
		await run(join(folder, 'bin', 'pip'), ['install', '--quiet', `moto[server]==${version}`]);
		return undefined;
	} catch (error) {
		if (process.env.CI === 'true') throw error;
		return (error as Error).message.split('\n')[0] ?? 'moto could not be installed';
	}
}

export interface BucketServer {
	/** Address of a new bucket. */
	bucket(name: string): Promise<string>;
	stop(): void;
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
	for (;;) {
		if (child.exitCode !== null) throw new Error('the bucket server ended');
		if (
			await fetch(url).then(
				() => true,
				() => false,
			)
		)
			return;
		await sleep(100);
	}
}

export async function startBucketServer(): Promise<BucketServer> {
	const port = await freePort();
	const child = spawn(program, ['--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' });
	const url = `http://127.0.0.1:${port}`;
	await untilReady(url, child);
	return {
		bucket: async (name) => {
			await fetch(`${url}/${name}`, { method: 'PUT' });
			return `${url}/${name}`;
		},
		stop: () => void child.kill(),
	};
}
