/** Behaves as the handlers of QuickCMD's agent were measured to: no seen-set, no cancel, an Origin for streams, one queue for all of them. */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { bodyOf, json } from './listen.ts';

interface Job {
	status: string;
	result: Record<string, unknown> | null;
	frames: object[];
	subscriber: WebSocket | undefined;
}

export interface OriginalQuickCmd {
	readonly url: string;
	readonly commands: string[];
}

const fields = [
	...['job_id', 'prompt', 'command', 'candidate_metadata', 'plugin_metadata', 'required_scopes'],
	...['snapshot_metadata', 'ttl', 'timestamp', 'controller_id'],
];

const spelledByGo: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

/** Go's struct, with the three characters that Go spells in its own way. */
const signedText = (payload: Record<string, unknown>): string =>
	JSON.stringify(Object.fromEntries(fields.map((name) => [name, payload[name] ?? null]))).replace(
		/[<>&]/g,
		(character) => spelledByGo[character] ?? '',
	);

export async function originalQuickCmd(secret: string): Promise<OriginalQuickCmd> {
	const commands: string[] = [];
	const jobs = new Map<string, Job>();
	const server = createServer(async (request, response) => {
		const [, id = ''] = /^\/api\/v1\/jobs\/([^/]+)$/.exec(request.url ?? '') ?? [];
		if (request.url === '/health') return json(response, 200, { status: 'healthy', timestamp: 1 });
		if (request.url === '/api/v1/jobs') return submit(request, response, secret, jobs, commands);
		const job = jobs.get(id);
		if (!job) return response.writeHead(404, { 'content-type': 'text/plain' }).end('Job not found\n');
		return json(response, 200, { job_id: id, result: job.result, status: job.status });
	});
	const sockets = new WebSocketServer({ noServer: true });
	server.on('upgrade', (request, socket, head) => {
		const job = jobs.get(/\/stream\/(.+)$/.exec(request.url ?? '')?.[1] ?? '');
		if (!job || request.headers.origin !== 'controller-1') {
			socket.end(`HTTP/1.1 ${job ? '403 Forbidden' : '404 Not Found'}\r\ncontent-length: 0\r\n\r\n`);
			return;
		}
		sockets.handleUpgrade(request, socket, head, (client) => {
			job.subscriber = client;
			flush(job);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		sockets.close();
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, commands };
}

async function submit(
	request: IncomingMessage,
	response: ServerResponse,
	secret: string,
	jobs: Map<string, Job>,
	commands: string[],
) {
	const { payload, signature } = JSON.parse(await bodyOf(request));
	const expected = createHmac('sha256', secret).update(signedText(payload)).digest('hex');
	if (signature.signature !== expected)
		return json(response, 401, { details: 'INVALID_SIGNATURE: Invalid job signature', error: 'Invalid signature' });
	if (payload.controller_id !== 'controller-1') return json(response, 403, { error: 'Controller not allowed' });
	commands.push(payload.command);
	const job: Job = { status: 'pending', result: null, frames: [], subscriber: undefined };
	jobs.set(payload.job_id, job);
	setTimeout(() => run(payload.job_id, payload.command, job), 50);
	return json(response, 202, { job_id: payload.job_id, status: 'pending' });
}

/** Output is sent in one piece after the end, then the connection drops without a close frame. */
function run(id: string, command: string, job: Job): void {
	job.status = 'running';
	const early = earlyEnd(command);
	if (early) {
		end(id, job, early);
		return;
	}
	const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
	const texts = { stdout: '', stderr: '' };
	child.stdout.on('data', (chunk) => {
		texts.stdout += chunk;
	});
	child.stderr.on('data', (chunk) => {
		texts.stderr += chunk;
	});
	child.on('close', (code) => end(id, job, { status: 'completed', sandbox_id: 'abc', exit_code: code ?? 0, ...texts }));
}

type End = { status: 'completed' | 'failed'; sandbox_id: string; exit_code: number; error?: string } & Texts;
interface Texts {
	stdout: string;
	stderr: string;
}

const nothing: Texts = { stdout: '', stderr: '' };

/** What its executor makes of a job that it does not start, ends at its limit, or loses: only a refusal is "failed", and that says exit code 0. */
function earlyEnd(command: string): End | undefined {
	const never = { ...nothing, sandbox_id: '', exit_code: 0 };
	if (/mkfs|shutdown|reboot/.test(command))
		return { ...never, status: 'failed', error: 'Command blocked by denylist: Filesystem formatting' };
	if (command === 'no-plugin') return { ...never, status: 'failed', error: 'plugin not found: aws' };
	if (command === 'no-container')
		return { ...never, status: 'completed', error: 'failed to create container: No such image: alpine:latest' };
	const began = { ...nothing, sandbox_id: 'abc', status: 'completed' as const };
	if (command === 'too-long') return { ...began, exit_code: 124, error: 'execution timeout after 5m0s' };
	if (command === 'no-wait') return { ...began, exit_code: 0, error: 'container wait error: unexpected EOF' };
	if (command === 'no-logs')
		return { ...began, exit_code: 3, error: 'failed to get container logs: No such container: abc' };
	return undefined;
}

/** The word "completed" comes a moment before the result does. */
function end(id: string, job: Job, ended: End): void {
	job.status = ended.status;
	const hasEnd = ended.status === 'completed';
	setTimeout(() => {
		job.result = {
			...{ job_id: id, ...ended, start_time: '2026-01-01T00:00:00.123456789Z', duration_ms: hasEnd ? 5 : 0 },
			end_time: hasEnd ? '2026-01-01T00:00:01.5Z' : '0001-01-01T00:00:00Z',
		};
		const frame = { job_id: id, timestamp: '2026-01-01T00:00:00Z' };
		job.frames.push({ ...frame, stream: 'stdout', data: ended.stdout, final: false });
		job.frames.push({ ...frame, stream: '', data: '', final: true });
		flush(job);
	}, 60);
}

function flush(job: Job): void {
	if (!job.subscriber) return;
	for (const frame of job.frames.splice(0)) {
		job.subscriber.send(`${JSON.stringify(frame)}\n`);
		if ((frame as { final: boolean }).final) setTimeout(() => job.subscriber?.terminate(), 20);
	}
}
