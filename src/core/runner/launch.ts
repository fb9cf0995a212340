/** How a plan is started: words for the kernel, found on a fixed path; a script is a file that its shell reads. */
import { getSystemErrorName } from 'node:util';
import { KnownError } from '../../contract/error.ts';
import type { CommandPlan } from '../../contract/policy.ts';
import type { BoxIo, BoxOutcome } from '../sandbox/backend.ts';
import type { RunnerOutcome } from './runner.ts';

/** What a shell is called, how it is told to read a script and nothing else, and what people call it. */
const shells = {
	bash: { program: 'bash', words: ['--noprofile', '--norc'], name: 'Bash' },
	sh: { program: 'sh', words: [], name: 'sh' },
	powershell: { program: 'pwsh', words: ['-NoProfile', '-NonInteractive', '-Command'], name: 'PowerShell' },
} as const;

const windowsPowershell = 'powershell.exe';

export interface PlannedStart {
	readonly argv: readonly string[];
	/** The script, for the shell that takes a file; undefined when it stands in `argv` or there is none. */
	readonly script: string | undefined;
}

/** A command whose program is not there; a shell would say so on stderr and end with 127. */
export class NoProgram extends Error {
	readonly program: string;
	constructor(program: string) {
		super(`${program}: command not found`);
		this.program = program;
	}
}

/** Nothing was started, and the end is that which a shell would have reported. */
export function notFound(error: NoProgram, io: BoxIo, where: Pick<RunnerOutcome, 'backend' | 'tier'>): RunnerOutcome {
	io.onStart?.();
	void io.onOutput('stderr', Buffer.from(`${error.message}\n`));
	return { ...endedBefore, exit: { code: 127, signal: null }, ...where };
}

const tooLong = 7;
const noSuchFile = 2;

/**
 * A program that is there and cannot be executed: no right to, not for this machine, or its interpreter is missing. That is
 * no failure of the runner, and ends as it would in a shell.
 */
export function notExecutable<Outcome extends BoxOutcome>(
	outcome: Outcome,
	name: string,
	errno: number,
	io: BoxIo,
): Outcome {
	if (errno === tooLong)
		throw new KnownError('JOB_INVALID', { details: 'the words of the command are longer than the system takes' });
	void io.onOutput('stderr', Buffer.from(`${name}: cannot be executed (${getSystemErrorName(-errno)})\n`));
	return { ...outcome, fault: null, exit: { code: errno === noSuchFile ? 127 : 126, signal: null } };
}

const endedBefore = {
	stopped: null,
	fault: null,
	oomKills: 0,
	processLimitHits: 0,
	peakMemoryBytes: 0,
	cpuMs: 0,
	durationMs: 0,
	isConfirmedDead: true,
} as const;

function scriptStart(
	plan: Extract<CommandPlan, { mode: 'script' }>,
	scriptPath: string,
	find: (program: string) => string | undefined,
	platform: NodeJS.Platform,
): PlannedStart {
	const shell = shells[plan.shell];
	const isWindows = plan.shell === 'powershell' && platform === 'win32';
	const found = find(isWindows ? windowsPowershell : shell.program);
	if (found === undefined) throw new KnownError('RUNTIME_MISSING', { language: shell.name });
	// PowerShell takes the text itself: a file would fall under its execution policy.
	if (plan.shell === 'powershell') return { argv: [found, ...shell.words, plan.script], script: undefined };
	return { argv: [found, ...shell.words, scriptPath], script: plan.script };
}

/**
 * @param scriptPath where the script will lie when the shell reads it
 * @param find looks a program up on the search path of the profile
 * @throws NoProgram, or RUNTIME_MISSING for a shell
 */
export function startFor(
	plan: CommandPlan,
	scriptPath: string,
	find: (program: string) => string | undefined,
	platform: NodeJS.Platform = process.platform,
): PlannedStart {
	if (plan.mode === 'script') return scriptStart(plan, scriptPath, find, platform);
	const [name = '', ...rest] = plan.argv;
	const found = find(name);
	if (found === undefined) throw new NoProgram(name);
	return { argv: [found, ...rest], script: undefined };
}

/** auto means what people of the system expect. */
export const usualShell = (platform: NodeJS.Platform = process.platform): 'bash' | 'powershell' =>
	platform === 'win32' ? 'powershell' : 'bash';
