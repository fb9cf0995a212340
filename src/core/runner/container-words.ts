/** Every command that docker and podman are given, word by word, and what their answers mean. Pure. */
import { fixedLimits } from '../../contract/limits.ts';

/** The user of a container job; a number that no image gives away. */
const containerUser = '65533:65533';
/** Open files of one process, and processes of that user on the whole host; the job's own number is set beside them. */
const openFiles = 1_024;
const userProcesses = 4_096;

/** By which containers are known again whose agent was killed. */
export const agentLabel = 'secure-code.agent';

export interface ContainerPlan {
	readonly name: string;
	readonly image: string;
	/** Mark of the agent that started it. */
	readonly agent: string;
	readonly argv: readonly string[];
	readonly cwd: string;
	/** File of the host with one variable on each line. */
	readonly envFile: string;
	readonly hasStdin: boolean;
	readonly network: 'none' | 'host';
	readonly mounts: readonly { readonly source: string; readonly path: string; readonly isWritable: boolean }[];
	readonly cpus: number;
	readonly memoryBytes: number;
	readonly processes: number;
	readonly workBytes: number;
}

const mountWord = ({ source, path, isWritable }: ContainerPlan['mounts'][number]): string[] => [
	'--mount',
	`type=bind,source=${source},target=${path}${isWritable ? '' : ',readonly'}`,
];

const folderInMemory = (path: string, bytes: number): string[] => [
	'--tmpfs',
	`${path}:rw,nosuid,nodev,size=${bytes},mode=1777`,
];

/** Not removed at its end: how it ended is asked first, and that it is gone after that. */
export const runWords = (plan: ContainerPlan): string[] => [
	...['run', '--name', plan.name, '--label', `${agentLabel}=${plan.agent}`, '--pull', 'never', '--log-driver', 'none'],
	...['--network', plan.network, '--cpus', String(plan.cpus), '--pids-limit', String(plan.processes)],
	...['--memory', `${plan.memoryBytes}b`, '--memory-swap', `${plan.memoryBytes}b`],
	...['--ulimit', `nofile=${openFiles}:${openFiles}`, '--ulimit', `nproc=${userProcesses}:${userProcesses}`],
	...['--ulimit', 'core=0:0', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
	...['--user', containerUser, '--workdir', plan.cwd, '--entrypoint', '', '--env-file', plan.envFile],
	...folderInMemory('/work', plan.workBytes),
	...folderInMemory('/tmp', fixedLimits.tmpBytes),
	...plan.mounts.flatMap(mountWord),
	...(plan.hasStdin ? ['--interactive'] : []),
	...[plan.image, ...plan.argv],
];

export interface ExecPlan {
	readonly container: string;
	readonly argv: readonly string[];
	readonly cwd: string | null;
	readonly envFile: string;
	readonly hasStdin: boolean;
}

/** A command in a container that runs already; it is whoever that container says. */
export const execWords = ({ container, argv, cwd, envFile, hasStdin }: ExecPlan): string[] => [
	...['exec', '--env-file', envFile],
	...(cwd === null ? [] : ['--workdir', cwd]),
	...(hasStdin ? ['--interactive'] : []),
	...[container, ...argv],
];

export const killWords = (name: string): string[] => ['kill', '--signal', 'KILL', name];
export const removeWords = (name: string): string[] => ['rm', '--force', '--volumes', name];
export const stateWords = (name: string): string[] => [
	...['inspect', '--type', 'container', '--format', '{{json .State}}', name],
];
export const imageWords = (image: string): string[] => ['image', 'inspect', '--format', '{{.Id}}', image];
export const ownContainersWords: readonly string[] = [
	...['ps', '--all', '--no-trunc', '--filter', `label=${agentLabel}`, '--format', '{{json .}}'],
];

/**
 * What the capability docker.container.list runs. Jobs are given it as their argv, and the runner knows it again: it is the
 * only way in which a command of a container profile reaches the engine itself.
 */
export const listContainers = (isAll: boolean): string[] => [
	...['docker', 'ps', '--no-trunc', '--format', '{{json .}}', ...(isAll ? ['--all'] : [])],
];

const usualLogLines = 200;

/** What the capability docker.container.logs runs. @param lines null: the last 200 */
export const containerLogs = (container: string, lines: number | null): string[] => [
	...['docker', 'logs', '--tail', String(lines ?? usualLogLines), container],
];

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
	one.length === other.length && one.every((word, index) => word === other[index]);

/** @returns the words for the engine when a job is exactly one of the two above */
export function engineWords(argv: readonly string[], container: string | null): string[] | undefined {
	const lines = Number(argv[3]);
	const known = [
		...(container === null ? [listContainers(false), listContainers(true)] : []),
		...(container !== null && Number.isSafeInteger(lines) && lines >= 0 ? [containerLogs(container, lines)] : []),
	];
	return known.find((words) => isSame(words, argv))?.slice(1);
}

export interface ContainerState {
	readonly isRunning: boolean;
	/** False when the engine could not start the command. */
	readonly wasStarted: boolean;
	readonly exitCode: number;
	readonly isOutOfMemory: boolean;
	readonly error: string;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** @returns undefined when the answer is none */
export function parseState(text: string): ContainerState | undefined {
	const state = fieldsOf(parseJson(text.trim()));
	if (typeof state.Running !== 'boolean') return undefined;
	return {
		isRunning: state.Running || Number(state.Pid ?? 0) > 0,
		wasStarted: typeof state.StartedAt === 'string' && !state.StartedAt.startsWith('0001-'),
		exitCode: Number(state.ExitCode ?? 0),
		isOutOfMemory: state.OOMKilled === true,
		error: typeof state.Error === 'string' ? state.Error : '',
	};
}

/** How both engines say that there is no such container any more. */
export const saysGone = (stderr: string): boolean => /no such (object|container)/i.test(stderr);

export interface ListedContainer {
	readonly id: string;
	readonly name: string;
	readonly image: string;
	readonly state: string;
	readonly status: string;
}

const text = (value: unknown): string => String(Array.isArray(value) ? (value[0] ?? '') : (value ?? ''));

/** docker answers with one object on each line, podman with a list. */
function rowsOf(answer: string): Fields[] {
	const whole = parseJson(answer.trim());
	if (Array.isArray(whole)) return whole.map(fieldsOf);
	return answer
		.split('\n')
		.filter((line) => line.trim() !== '')
		.map((line) => fieldsOf(parseJson(line)));
}

export const parseContainers = (answer: string): ListedContainer[] =>
	rowsOf(answer).map((row) => ({
		id: text(row.ID ?? row.Id),
		name: text(row.Names),
		image: text(row.Image),
		state: text(row.State),
		status: text(row.Status),
	}));

/** Labels are an object, or "a=b,c=d". */
function labelOf(labels: unknown): string | undefined {
	if (typeof labels !== 'string') return fieldsOf(labels)[agentLabel]?.toString();
	const pair = labels.split(',').find((one) => one.startsWith(`${agentLabel}=`));
	return pair?.slice(agentLabel.length + 1);
}

/** Containers of agents, and the mark of the agent that started each. */
export const parseOwnContainers = (answer: string): { readonly name: string; readonly agent: string }[] =>
	rowsOf(answer).flatMap((row) => {
		const agent = labelOf(row.Labels);
		return agent === undefined ? [] : [{ name: text(row.Names), agent }];
	});
