/** Talks to the running agent of a folder over its own socket. */
import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { type ErrorCode, KnownError, knownErrors } from '../contract/error.ts';
import type { Problem } from '../contract/job.ts';
import { layoutOf } from '../device/agent/layout.ts';
import type { Reloaded } from '../device/agent/local.ts';
import { socketPath } from '../device/agent/socket-path.ts';

export interface Call {
	readonly method: 'GET' | 'POST' | 'DELETE';
	readonly path: string;
	readonly body?: unknown;
}

/** An agent that was stopped takes connections and never answers. */
const silentMs = 60_000;

interface Answer {
	readonly status: number;
	readonly text: string;
}

function failure(dir: string, { code }: NodeJS.ErrnoException): KnownError {
	if (code === 'EACCES' || code === 'EPERM')
		return new KnownError('PERMISSION', { details: `The agent of ${dir} belongs to another user.` });
	return new KnownError('AGENT_UNREACHABLE', { details: `no agent serves ${dir}` });
}

function send(dir: string, { method, path, body }: Call): Promise<Answer> {
	const sent = body === undefined ? undefined : JSON.stringify(body);
	const headers =
		sent === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) };
	return new Promise((resolve, reject) => {
		const call = request({ socketPath: socketPath(layoutOf(dir).socket), method, path, headers }, (response) => {
			textOf(response).then(
				(text) => resolve({ status: response.statusCode ?? 0, text }),
				(error) => reject(failure(dir, error)),
			);
		});
		call.setTimeout(silentMs, () => call.destroy(new Error('it does not answer')));
		call.on('error', (error) => reject(failure(dir, error)));
		call.end(sent);
	});
}

/** The problem that the agent answered with, as the error it was there. */
function refusal({ status, text }: Answer): KnownError {
	const problem = parse(text)?.error as Problem | undefined;
	const code = problem && Object.hasOwn(knownErrors, problem.code) ? (problem.code as ErrorCode) : undefined;
	if (!problem || !code) return new KnownError('AGENT_UNREACHABLE', { details: `it answered with ${status}` });
	return Object.assign(new KnownError(code), { problem });
}

function parse(text: string): { readonly error?: unknown } | undefined {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** @returns the JSON of the answer; throws the error that the agent answered with, or AGENT_UNREACHABLE when none serves the folder */
export async function callAgent<T>(dir: string, call: Call): Promise<T> {
	const answer = await send(dir, call);
	if (answer.status >= 400) throw refusal(answer);
	const value = parse(answer.text);
	if (value === undefined)
		throw new KnownError('AGENT_UNREACHABLE', { details: `what answers for ${dir} is no agent` });
	return value as T;
}

/** Lets a running agent take over what was changed on disk; one that does not run will read it when it starts. */
export async function tellAgent(dir: string): Promise<void> {
	try {
		const { problems } = await callAgent<Reloaded>(dir, { method: 'POST', path: '/local/reload' });
		for (const problem of problems)
			process.stderr.write(`secure-code: the running agent did not take it over: ${problem}\n`);
	} catch (error) {
		if (!KnownError.is(error) || error.code !== 'AGENT_UNREACHABLE') throw error;
	}
}
