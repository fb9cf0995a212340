/** Behaves as the published Agent3 was measured to: every call makes a session, and only the last 92160 characters are kept. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { bodyOf, html, json, listen } from './listen.ts';

const kept = 92_160;

interface Session {
	readonly stdout: string;
	readonly stderr: string;
	readonly exit_code: number;
}

export interface OriginalAgent3 {
	readonly url: string;
	readonly commands: string[];
	readonly sessions: Map<string, Session>;
}

export async function originalAgent3(token: string, { limitMs = 45_000 } = {}): Promise<OriginalAgent3> {
	const commands: string[] = [];
	const sessions = new Map<string, Session>();
	const url = await listen(async (request, response) => {
		if (request.method !== 'POST') return html(response, 405, 'Method Not Allowed');
		if (request.headers['x-auth-token'] !== token) return json(response, 403, { error: 'Unauthorized' });
		const body = await bodyOf(request);
		const { op, args = {} } = JSON.parse(body) as { op: string; args?: Record<string, never> };
		if (op === 'shell') {
			commands.push(args.cmd ?? '');
			const result = await runShell(args.cmd ?? '', limitMs);
			const session = randomUUID();
			sessions.set(session, result);
			const { exit_code, stderr, stdout } = result;
			return json(response, 200, { exit_code, session, status: 'done', stderr, stdout });
		}
		const found = sessions.get(args.session ?? '');
		if (!found) return json(response, 404, { error: 'Session not found' });
		if (op === 'close_session') {
			sessions.delete(args.session ?? '');
			return json(response, 200, { status: 'closed' });
		}
		const { offset = 0, limit = kept } = args;
		return json(response, 200, { ...found, stdout: found.stdout.slice(offset, offset + limit) });
	});
	return { url, commands, sessions };
}

function runShell(command: string, limitMs: number): Promise<Session> {
	return new Promise((resolve) => {
		const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
		const texts = { stdout: '', stderr: '' };
		child.stdout.on('data', (chunk) => {
			texts.stdout += chunk;
		});
		child.stderr.on('data', (chunk) => {
			texts.stderr += chunk;
		});
		const timer = setTimeout(() => {
			child.kill('SIGKILL');
			resolve({ stdout: '', stderr: 'Timeout', exit_code: 124 });
		}, limitMs);
		child.on('close', (code, signal) => {
			clearTimeout(timer);
			const exit_code = signal === null ? (code ?? 0) : signal === 'SIGKILL' ? -9 : -15;
			resolve({ stdout: texts.stdout.slice(-kept), stderr: texts.stderr.slice(-kept), exit_code });
		});
	});
}
