/** A redis-server of its own, which keeps nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from '../../../scripts/n8n/n8n-process.ts';

export interface Redis {
	readonly port: number;
	stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
	const port = await freePort();
	const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
	const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'inherit'] });
	for await (const line of createInterface({ input: child.stdout })) if (/ready to accept/i.test(line)) break;
	child.stdout.resume();
	return {
		port,
		stop: async () => {
			child.kill('SIGTERM');
			await once(child, 'exit');
		},
	};
}
