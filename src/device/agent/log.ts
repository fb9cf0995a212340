/** The log of the agent: JSON lines on stdout, never waited for, with nothing secret in them. */
import { type Logger, pino } from 'pino';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Log } from './face.ts';

/** Lines that nobody reads are dropped after so much, instead of filling memory. */
const mostWaitingBytes = 4 * 1024 * 1024;

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
	/** Writes what still waits; for the end of the process. */
	flush(): void;
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
	return {
		debug: (fields, message) => logger.debug(fields, message),
		info: (fields, message) => logger.info(fields, message),
		warn: (fields, message) => logger.warn(fields, message),
		error: (fields, message) => logger.error(fields, message),
		flush: () => flushQuietly(destination),
	};
}

function flushQuietly(destination: { flushSync(): void }): void {
	try {
		destination.flushSync();
	} catch {
		// Nothing was opened yet, or nobody reads any more.
	}
}
