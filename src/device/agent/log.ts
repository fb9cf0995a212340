/** The log of the agent: JSON lines on stdout, never waited for, with nothing secret in them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Log } from './face.ts';

/** Lines that nobody reads are dropped after so much, instead of filling memory. */
const mostWaitingBytes = 4 * 1024 * 1024;

/** A reader that takes nothing for so long gets no more. */
const closeMs = 1_000;

/** Fields that must never come here; should one slip in, its value stays out. */
const secretFields = [
	'token',
	'secret',
	'key',
	'password',
	'authorization',
	'command',
	'argv',
	'script',
	'env',
	'stdin',
];

export interface AgentLog extends Log {
	debug(fields: Record<string, unknown>, message: string): void;
	/** Writes what still waits, in order, and takes nothing more; for the end of the process. Resolves soon, also when nobody reads. */
	close(): Promise<void>;
}

/** @param fd where the lines go; stdout, which systemd keeps */
export function createLog(level: AgentConfig['log']['level'], fd = 1): AgentLog {
	const destination = pino.destination({ fd, sync: false, maxLength: mostWaitingBytes });
	const options = {
		level,
		base: null,
		timestamp: () => `,"time":"${new Date().toISOString()}"`,
		formatters: { level: (label: string) => ({ level: label }) },
		redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
	};
	const logger: Logger = pino(options, destination);
	// A reader that has gone away ends the log, not the agent.
	destination.on('error', () => {});
	let isClosed = false;
	const say = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: Record<string, unknown>, message: string) => {
		if (!isClosed) logger[level](fields, message);
	};
	return {
		debug: say('debug'),
		info: say('info'),
		warn: say('warn'),
		error: say('error'),
		close: async () => {
			if (isClosed) return;
			isClosed = true;
			await ended(destination);
		},
	};
}

/** A line may be on its way already. One written past it, as flushing at once does, would come before it or in its place. */
async function ended(destination: ReturnType<typeof pino.destination>): Promise<void> {
	const closed = new Promise((resolve) => destination.once('close', resolve));
	const late = new AbortController();
	destination.end();
	await Promise.race([closed, sleep(closeMs, undefined, { signal: late.signal }).catch(() => {})]);
	late.abort();
}
