/** A front that waits for an exec side waits for a while, and says what it knows when nobody answers. */
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DeviceJob } from '../../../../../src/core/runner/runner.ts';
import { connectRunner } from '../../../../../src/device/agent/exec/client.ts';
import { encodeFrame } from '../../../../../src/device/agent/exec/frames.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const job: DeviceJob = {
	...{ jobId: 'j-1', plan: { mode: 'argv', argv: ['ls'] }, profile: 'default', cwd: null, env: {} },
	...{ stdin: null, network: null, image: null, container: null },
	limits: { timeoutMs: 50, idleTimeoutMs: null, outputBytes: 1, floodBytes: 1, memoryBytes: 1, processes: 1 },
};
const patience = { connectMs: 1000, stopMs: 50, beginMs: 50, probeMs: 100 };

/** Takes connections and does nothing else, but for what it is told. */
function stuck(act: (socket: Socket) => void = () => {}): Promise<string> {
	const path = join(tempFolder(), 'exec.sock');
	const sockets: Socket[] = [];
	const server = createServer((socket) => {
		sockets.push(socket.on('error', () => {}));
		act(socket);
	});
	onTestFinished(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return new Promise((resolve) => server.listen(path, () => resolve(path)));
}

const io = (signal: AbortSignal, heard: string[] = []) => ({
	...{ stdin: undefined, signal },
	onOutput: (_stream: string, chunk: Buffer) => {
		heard.push(chunk.toString());
	},
});

describe('an exec side that is stuck', () => {
	it('costs a job its time and a while, and nobody claims to know how it ended', async () => {
		const runner = connectRunner(await stuck(), patience);
		expect(await runner.run(job, io(new AbortController().signal))).toMatchObject({
			stopped: null,
			exit: null,
			fault: 'the exec side did not end the job in time',
			isConfirmedDead: false,
		});
	});

	it('is given up although it goes on to print', async () => {
		const path = await stuck((socket) => {
			const output = { type: 'output', stream: 'stdout', base64: Buffer.from('x').toString('base64') };
			const timer = setInterval(() => socket.write(encodeFrame(output)), 10);
			socket.on('close', () => clearInterval(timer));
		});
		const heard: string[] = [];
		const outcome = await connectRunner(path, patience).run(job, io(new AbortController().signal, heard));
		expect([outcome.fault, heard.includes('x')]).toEqual(['the exec side did not end the job in time', true]);
	});

	it('does not keep a cancelled job alive', async () => {
		const stop = new AbortController();
		const runner = connectRunner(await stuck(), { ...patience, beginMs: 3_600_000 });
		const outcome = runner.run(job, io(stop.signal));
		stop.abort('cancelled');
		expect(await outcome).toMatchObject({ fault: 'the exec side did not end the job in time' });
	});

	it('does not keep a probe waiting, nor the closing of the front', async () => {
		const runner = connectRunner(await stuck(), patience);
		await expect(runner.probe()).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
		await runner.close();
	});
});

describe('an exec side that is not there', () => {
	it('is told at once', async () => {
		const runner = connectRunner(join(tempFolder(), 'none.sock'));
		await expect(runner.run(job, io(new AbortController().signal))).rejects.toMatchObject({
			code: 'SANDBOX_UNAVAILABLE',
		});
	});
});
