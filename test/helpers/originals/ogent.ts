/** Behaves as the published Command Execution Service was measured to: early "completed", lost lines, no exit code, half a cancel. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, html, json, listen } from './listen.ts';

interface Execution {
	child: ChildProcess | undefined;
	output: string;
	error: string;
	isOver: boolean;
}

export interface OriginalOgent {
	readonly url: string;
	readonly commands: string[];
	readonly tokens: (string | undefined)[];
}

/** @param startMs how long a command waits before it begins, while GET says "completed" already */
export async function originalOgent({ startMs = 300, losesLines = false } = {}): Promise<OriginalOgent> {
	const commands: string[] = [];
	const tokens: (string | undefined)[] = [];
	const executions = new Map<string, Execution>();
	const start = (command: string): string => {
		commands.push(command);
		const executionId = randomUUID();
		const execution: Execution = { child: undefined, output: '', error: '', isOver: false };
		executions.set(executionId, execution);
		setTimeout(() => begin(command, execution, losesLines), startMs);
		return executionId;
	};
	const url = await listen(async (request, response) => {
		tokens.push(request.headers.authorization);
		const path = request.url ?? '';
		if (path === '/health') return json(response, 200, { status: 'ok' });
		if (path === '/api/execute') return submit(request, response, start);
		const [, executionId = '', cancel] = /^\/api\/execution\/([^/]+)(\/cancel)?$/.exec(path) ?? [];
		const execution = executions.get(executionId);
		if (!execution) return json(response, 404, { error: 'Execution not found' });
		return json(response, 200, { executionId, ...(cancel ? end(execution) : stateOf(execution)) });
	});
	return { url, commands, tokens };
}

async function submit(request: IncomingMessage, response: ServerResponse, start: (command: string) => string) {
	if (request.headers['content-type'] !== 'application/json') return html(response, 415, 'Unsupported');
	const { command } = JSON.parse(await bodyOf(request)) as { command?: string };
	if (command === undefined) return json(response, 400, { error: 'Command is required' });
	if (!/^(echo|ls|sh|sleep|false|printf) ?/.test(command)) return json(response, 403, { error: 'Command not allowed' });
	const executionId = start(command);
	return json(response, 200, { executionId, status: 'queued', message: 'Command scheduled for execution' });
}

/** Only the shell is told. */
function end(execution: Execution) {
	execution.child?.kill('SIGTERM');
	execution.isOver = true;
	return { status: 'cancelled', message: 'Execution cancelled' };
}

/** "completed" is what is not running and has said nothing on stderr, begun or not. */
function stateOf({ child, isOver, output, error }: Execution) {
	if (child && !isOver) return { status: 'running', startTime: '2026-01-01T00:00:00', elapsedTime: 1 };
	return { status: error === '' ? 'completed' : 'failed', output, error };
}

function begin(command: string, execution: Execution, losesLines: boolean): void {
	const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
	execution.child = child;
	child.stdout.on('data', (chunk) => {
		if (!losesLines) execution.output += chunk;
	});
	child.stderr.on('data', (chunk) => {
		execution.error += chunk;
	});
	child.on('close', () => {
		execution.isOver = true;
	});
}
