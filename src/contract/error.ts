/** The table of known errors: one row per code. Who must act decides where a failure is shown. */
import type { Problem } from './job.ts';

/** model: change the code or the arguments. operator: change the machine or the settings. maintainer: our bug. */
export type Audience = 'model' | 'operator' | 'maintainer';

interface ErrorRow {
	readonly audience: Audience;
	/** Status of an HTTP answer, and exit code of the command line (sysexits.h). */
	readonly http: number;
	readonly exit: number;
	/** One sentence: what happened and what did not. `{name}` is filled from the context. No secrets, no host paths. */
	readonly message: string;
	/** One imperative sentence: for the model what to try, for the operator the one fix. */
	readonly next: string;
}

export const knownErrors = {
	JOB_INVALID: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'Nothing was run, because the arguments do not fit: {details}.',
		next: 'Correct the arguments and call again; "code" (a string with the whole program) is the only one that is required.',
	},
	JOB_UNSUPPORTED: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'Nothing was run, because "{field}" cannot be used here: {details}.',
		next: 'Call again without "{field}".',
	},
	CHECKER_FORBIDDEN: {
		audience: 'model',
		http: 422,
		exit: 65,
		message: '{details}',
		next: 'Fix every finding and send the whole program again; do not rename or encode anything, names are resolved.',
	},
	LIMIT_CODE: {
		audience: 'model',
		http: 413,
		exit: 65,
		message: 'Nothing was run, because the code has {found} characters and {limit} are allowed.',
		next: 'Send a shorter program, or split the work into several calls.',
	},
	LIMIT_TIME: {
		audience: 'model',
		http: 200,
		exit: 124,
		message: 'The program was killed at its time limit of {limit} s; all its processes are gone.',
		next: 'Make it faster, work on less data, or ask for more time with "maxTime" if the tool allows it.',
	},
	LIMIT_MEMORY: {
		audience: 'model',
		http: 200,
		exit: 137,
		message: 'The program needed more than its {limit} MB of memory and was killed.',
		next: 'Process the data in pieces instead of all at once, or ask for more with "maxMemory" if the tool allows it.',
	},
	LIMIT_OUTPUT: {
		audience: 'model',
		http: 200,
		exit: 137,
		message: 'The program printed more than {limit} MB and was killed.',
		next: 'Print a summary, or write the data to a file in /work/out.',
	},
	LIMIT_PROCESSES: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program reached the limit of {limit} processes and threads; no more could be started.',
		next: 'Use fewer processes or threads, and wait for each to end.',
	},
	LIMIT_OPEN_FILES: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program reached the limit of {limit} open files.',
		next: 'Close files when they are no longer needed.',
	},
	LIMIT_FILE_SIZE: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program reached the limit of {limit} MB for one file.',
		next: 'Write less, or several smaller files.',
	},
	LIMIT_DISK: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program filled its space for files ({limit} MB and 2048 files in /work).',
		next: 'Write less, or delete files that are no longer needed.',
	},
	PROGRAM_SIGNALLED: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program was ended by the signal {signal}.',
		next: 'Look for the crash in the program itself; the sandbox did not end it.',
	},
	QUEUE_FULL: {
		audience: 'model',
		http: 503,
		exit: 69,
		message: 'Nothing was run: {waiting} jobs are already waiting for the sandbox.',
		next: 'Call again in a few seconds.',
	},
	JOB_CANCELLED: {
		audience: 'model',
		http: 499,
		exit: 130,
		message: 'The job was cancelled by its caller; all its processes are gone.',
		next: 'Stop here; do not call again unless you are asked to.',
	},
	FILES_INCOMPLETE: {
		audience: 'model',
		http: 200,
		exit: 0,
		message: 'Not everything in /work/out was taken over: {details}.',
		next: 'Write fewer and smaller ordinary files to /work/out.',
	},
	FILE_UNKNOWN: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'Nothing was run, because there is no file "{name}" here that can be given. There are: {names}.',
		next: 'Name one of these in "files", or leave the argument out.',
	},
	FILES_NOT_GIVEN: {
		audience: 'model',
		http: 200,
		exit: 0,
		message: 'The program did not get every file: {details}.',
		next: 'Tell the user what is missing; whoever built the workflow can select fewer or smaller files.',
	},
	SESSION_BUSY: {
		audience: 'model',
		http: 409,
		exit: 65,
		message: 'Nothing was run, because another call has this session and did not give it back in {limit} s.',
		next: 'Call again when the other call is over; calls of one session run one after the other.',
	},
	FILES_ELSEWHERE: {
		audience: 'model',
		http: 200,
		exit: 0,
		message: 'Only files in /work/out are handed over, and these lie elsewhere: {names}.',
		next: 'If the user should get them, write them to /work/out; if not, all is well.',
	},
	FILES_UNFINISHED: {
		audience: 'model',
		http: 200,
		exit: 0,
		message: 'The files that it left may be incomplete, because it did not end by itself.',
		next: 'Check the files before you use them, or run a program that ends by itself.',
	},
	SESSION_FULL: {
		audience: 'model',
		http: 200,
		exit: 0,
		message:
			'The session was not kept: it would hold {found} MB and {limit} MB are allowed. It is as it was before this call.',
		next: 'Delete files in /work that are not needed any more, and variables that hold much data, and run the program again.',
	},
	SESSION_INPUTS_LEFT: {
		audience: 'model',
		http: 200,
		exit: 0,
		message:
			'Files that this session was given are not in /work/in any more, because it holds at most {count} files and {limit} MB: {names}.',
		next: 'Have a file given again when a program needs it; what later programs need of it may be written to /work.',
	},
	SESSION_UNCHANGED: {
		audience: 'model',
		http: 200,
		exit: 0,
		message: 'The session is as it was before this call, because the program did not end by itself.',
		next: 'Correct the program and run it again; nothing of this call was kept.',
	},
	SESSION_FILES_ONLY: {
		audience: 'model',
		http: 200,
		exit: 0,
		message:
			'The session keeps the files of this program in /work and none of its variables, which only Python can keep.',
		next: 'Write what a later program needs to files in /work, or use Python.',
	},
	SESSION_STORE: {
		audience: 'operator',
		http: 503,
		exit: 69,
		message: 'The session could not be used, because of {store}: {details}.',
		next: 'Look at the place where sessions are kept: whether it is there, may be written, and the key is still the same.',
	},
	VAULT_CALL_INVALID: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'Nothing was looked up, because the arguments do not fit: {details}.',
		next: 'Correct them and call again, for example with "operation": "list".',
	},
	SECRET_UNKNOWN: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'Nothing was done, because a secret was asked for that this tool does not have.',
		next: 'Ask again for one of these names: {names}.',
	},
	SECRET_HANDLE_INVALID: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'Nothing was run, because a credential handle is expired, incomplete or of another execution.',
		next: 'Get a new handle with "getCredentialForInjection" and pass it on unchanged in the next call.',
	},
	SECRET_UNMASKED: {
		audience: 'model',
		http: 200,
		exit: 0,
		message: 'The value of {names} was not masked: it is shorter than 6 characters or an everyday word.',
		next: 'Tell the user to give the secret a longer value, or to make it no secret if it is none.',
	},
	SANDBOX_UNAVAILABLE: {
		audience: 'operator',
		http: 503,
		exit: 69,
		message: 'The code was not run, because no sandbox can run on this machine: {details}.',
		next: 'Run "secure-code doctor" on the machine that runs n8n; it names the step that fails and its fix.',
	},
	SANDBOX_BROKEN: {
		audience: 'operator',
		http: 500,
		exit: 69,
		message: 'The sandbox could not start the program: {details}.',
		next: 'Run "secure-code doctor" on the machine that runs n8n; it names the step that fails and its fix.',
	},
	PROFILE_UNUSABLE: {
		audience: 'operator',
		http: 503,
		exit: 78,
		message:
			'The command was not run, because the profile "{profile}" of the policy cannot be used on this device: {details}.',
		next: 'Correct the profile; "secure-code agent doctor" tries every one of them.',
	},
	MODULE_MISSING: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program needs the module "{module}", which is not installed in its sandbox. {remedy}',
		next: 'Do without it, or tell the user what would install it; the program itself can install nothing.',
	},
	MODULE_PART_MISSING: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program needs "{module}". "{package}" is there, but it has no such part.',
		next: 'Correct the name, or use what this version of "{package}" has; nothing has to be installed.',
	},
	BUNDLE_MISSING: {
		audience: 'operator',
		http: 503,
		exit: 78,
		message: 'The code was not run, because there is no bundle of packages called "{name}" on this machine.',
		next: 'Run "secure-code packages add --bundle {name}" with the names of its packages, or choose another bundle.',
	},
	BUNDLE_OUTDATED: {
		audience: 'operator',
		http: 503,
		exit: 78,
		message:
			'The code was not run, because the packages of the bundle "{name}" were made for Python {made} and Python {runs} runs here.',
		next: 'Run "secure-code packages add --upgrade --bundle {name}", which chooses and fetches them anew, or set SECURE_CODE_PYTHON to the Python that they were made for.',
	},
	RUNTIME_MISSING: {
		audience: 'operator',
		http: 503,
		exit: 69,
		message: 'The code was not run, because {language} was not found for the sandbox on this machine.',
		next: 'Run "secure-code setup" on the machine that runs n8n, or install the interpreter where every user can read it.',
	},
	NETWORK_OFF: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The program failed where it tried the network, which is off in this sandbox.',
		next: 'Work without the network; whoever built the workflow can allow single hosts.',
	},
	NETWORK_REFUSED: {
		audience: 'model',
		http: 200,
		exit: 1,
		message: 'The network refused by policy: {details}; allowed: {allowed}.',
		next: 'Use only the allowed hosts, by their names; do not try other ways out.',
	},
	REQUEST_INVALID: {
		audience: 'model',
		http: 400,
		exit: 65,
		message: 'The agent did nothing, because the request does not fit: {details}.',
		next: 'Correct the request and send it again.',
	},
	REQUEST_TOO_LARGE: {
		audience: 'model',
		http: 413,
		exit: 65,
		message: 'The agent did nothing, because the request is longer than {limit} bytes.',
		next: 'Send a shorter command or script; give data through stdin in pieces.',
	},
	AUTH_REQUIRED: {
		audience: 'operator',
		http: 401,
		exit: 77,
		message: 'The agent did nothing, because the request does not prove who sends it.',
		next: 'Check the key of the credential; "secure-code agent keys add" makes a new one.',
	},
	AUTH_STALE: {
		audience: 'operator',
		http: 401,
		exit: 77,
		message: 'The agent did nothing, because what proves the sender is not good at this moment: {details}.',
		next: 'Set the clocks of both machines, and sign each request just before it is sent.',
	},
	AUTH_FORBIDDEN: {
		audience: 'model',
		http: 403,
		exit: 77,
		message: 'The agent did nothing, because this key may not do that: {details}.',
		next: 'Stop here and tell the user which right is missing.',
	},
	REQUEST_REPLAYED: {
		audience: 'model',
		http: 409,
		exit: 65,
		message: 'The agent did nothing, because the same request came before or is too old: {details}.',
		next: 'Send a new request with a new id and the time of now.',
	},
	RATE_LIMITED: {
		audience: 'model',
		http: 429,
		exit: 69,
		message: 'The agent did nothing, because this key sends too much: {details}.',
		next: 'Wait {seconds} s, then call again once; do not repeat the same command in a loop.',
	},
	JOB_NOT_FOUND: {
		audience: 'model',
		http: 404,
		exit: 65,
		message: 'There is no such job on this device, or it belongs to another key.',
		next: 'Use the job id that the agent answered with.',
	},
	POLICY_DENIED: {
		audience: 'model',
		http: 403,
		exit: 77,
		message: 'The command was not run: {why} (rule {rule}).',
		next: 'Do not try to get around the rule; use an allowed command, or ask the user.',
	},
	APPROVAL_DENIED: {
		audience: 'model',
		http: 403,
		exit: 77,
		message: 'The command was not run, because {who} refused it: {why}.',
		next: 'Stop here and tell the user; do not ask for the same again.',
	},
	APPROVAL_EXPIRED: {
		audience: 'model',
		http: 403,
		exit: 77,
		message: 'The command was not run, because nobody approved it in time.',
		next: 'Tell the user that approval {approval} has expired, and ask whether to try again.',
	},
	APPROVAL_NOT_FOUND: {
		audience: 'model',
		http: 404,
		exit: 65,
		message: 'There is no such request for approval on this device, or it belongs to another key.',
		next: 'Use the approval id that the agent answered with.',
	},
	APPROVAL_FORBIDDEN: {
		audience: 'model',
		http: 403,
		exit: 77,
		message: 'The approval was not answered: {details}.',
		next: 'Let another person with the role of an approver answer it.',
	},
	APPROVAL_OVER: {
		audience: 'model',
		http: 409,
		exit: 65,
		message: 'The approval was not answered, because it is {state} already.',
		next: 'Nothing is left to do for this approval.',
	},
	APPROVALS_FULL: {
		audience: 'model',
		http: 429,
		exit: 69,
		message: 'The command was not run: {pending} requests of this key wait for approval already.',
		next: 'Wait until somebody has answered them; do not ask for more.',
	},
	LIMIT_IDLE: {
		audience: 'model',
		http: 200,
		exit: 124,
		message: 'The command printed nothing for {limit} s and was killed; all its processes are gone.',
		next: 'Use a command that ends by itself, or ask for a longer idle time.',
	},
	JOB_LOST: {
		audience: 'operator',
		http: 500,
		exit: 69,
		message: 'The agent was interrupted while the command ran; nobody knows how it ended, and it was not run again.',
		next: 'Look at the device before you send the command again.',
	},
	DEVICE_FAILED: {
		audience: 'operator',
		http: 502,
		exit: 69,
		message: 'The device could not do the job: {details}. {ran}.',
		next: 'Look at the device and its agent, then send the command again.',
	},
	AGENT_STOPPING: {
		audience: 'operator',
		http: 503,
		exit: 69,
		message: 'The command was not run, because the agent is stopping.',
		next: 'Send it again when the agent is back.',
	},
	AUDIT_BROKEN: {
		audience: 'operator',
		http: 500,
		exit: 69,
		message: 'Nothing was run, because the audit could not be written: {details}.',
		next: 'Run "secure-code audit verify" and make room for the folder of the agent.',
	},
	POLICY_INVALID: {
		audience: 'operator',
		http: 500,
		exit: 78,
		message: 'The policy is not valid, so nothing may run: {details}.',
		next: 'Correct the policy; "secure-code agent policy test" shows what holds.',
	},
	AGENT_UNREACHABLE: {
		audience: 'operator',
		http: 502,
		exit: 69,
		message: 'The agent could not be reached: {details}.',
		next: 'Start it with "secure-code agent serve", or correct the folder or the address.',
	},
	CONFIG_INVALID: {
		audience: 'operator',
		http: 500,
		exit: 78,
		message: 'The configuration is not valid: {details}.',
		next: 'Correct it and try again; nothing was run.',
	},
	USAGE: { audience: 'operator', http: 400, exit: 64, message: '{details}', next: 'See "secure-code --help".' },
	PERMISSION: {
		audience: 'operator',
		http: 403,
		exit: 77,
		message: '{details}',
		next: 'Run the command shown as a user who may do this.',
	},
	INTERNAL: {
		audience: 'maintainer',
		http: 500,
		exit: 70,
		message: 'Something went wrong inside Secure Code (id {id}); this is a bug, not your mistake.',
		next: 'Please report it with the id and the log lines that carry it.',
	},
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof knownErrors;
export type ErrorContext = Readonly<Record<string, string | number>>;

const fill = (text: string, context: ErrorContext): string =>
	text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(context[name] ?? whole));

/** The sentences of a known error with the context filled in. */
export function problemFor(code: ErrorCode, context: ErrorContext = {}): Problem {
	const row = knownErrors[code];
	return { code, message: fill(row.message, context), next: fill(row.next, context) };
}

const brand = Symbol.for('n8n-nodes-secure-code.KnownError');

/** A failure that someone can act on. Recognised by its brand, so that two copies of the package understand each other. */
export class KnownError extends Error {
	override readonly name = 'KnownError';
	readonly [brand] = true;
	readonly code: ErrorCode;
	readonly problem: Problem;

	/** @param options.problem words that another process has filled in already */
	constructor(code: ErrorCode, context: ErrorContext = {}, options: { cause?: unknown; problem?: Problem } = {}) {
		const problem = options.problem ?? problemFor(code, context);
		super(problem.message, options);
		this.code = code;
		this.problem = problem;
	}

	get row(): ErrorRow {
		return knownErrors[this.code];
	}

	static is(error: unknown): error is KnownError {
		return typeof error === 'object' && error !== null && brand in error;
	}
}

/** A known error of another process, in its own sentences; one that we do not know is our bug. */
export function knownErrorOf(problem: Problem): KnownError {
	const code = Object.hasOwn(knownErrors, problem.code) ? (problem.code as ErrorCode) : 'INTERNAL';
	return new KnownError(code, {}, { problem });
}
