/** A command as the one line that protocols without argv take, and what such protocols cannot carry. Pure. */
import { KnownError } from '../../contract/error.ts';
import type { RemoteCommand } from '../../contract/remote.ts';
import { shellWord } from './remote-result.ts';

const textOf = ({ command }: RemoteCommand): string =>
	command.mode === 'argv' ? command.argv.map(shellWord).join(' ') : command.script;

/** The folder is entered first; without it nothing is run. */
export function commandLine(asked: RemoteCommand): string {
	const text = textOf(asked);
	return asked.cwd === undefined
		? text
		: `cd -- ${shellWord(asked.cwd)} && ${asked.command.mode === 'argv' ? text : `{ ${text}\n}`}`;
}

export type Part = 'env' | 'stdin' | 'cwd' | 'timeoutMs' | 'capability' | 'shell';

const isAsked: Record<Part, (asked: RemoteCommand) => boolean> = {
	env: ({ env }) => Object.keys(env).length > 0,
	stdin: ({ stdin }) => stdin !== undefined,
	cwd: ({ cwd }) => cwd !== undefined,
	timeoutMs: ({ timeoutMs }) => timeoutMs !== undefined,
	capability: ({ capability }) => capability !== undefined,
	shell: ({ command }) => command.mode === 'script' && command.shell !== 'auto',
};

/** Nothing that was asked for is silently left out. Throws JOB_UNSUPPORTED. */
export function refuseParts(asked: RemoteCommand, protocol: string, parts: readonly Part[]): void {
	const field = parts.find((part) => isAsked[part](asked));
	if (field)
		throw new KnownError('JOB_UNSUPPORTED', { field, details: `the protocol ${protocol} has no way to carry it` });
}

export function unsupported(operation: string, protocol: string): KnownError {
	return new KnownError('JOB_UNSUPPORTED', {
		field: operation,
		details: `the protocol ${protocol} has no such operation`,
	});
}
