/** What the policy says to a job. All that matches is told, the strictest decides; nothing is allowed early. Pure. */
import type { Command, JobDraft } from '../../contract/device-job.ts';
import type { CommandPlan, PolicyDecision, PolicyReason } from '../../contract/policy.ts';
import type { Principal } from '../../contract/principal.ts';
import { quietEnvironment, usualEnvironment } from '../../contract/quiet.ts';
import { capabilityReasons } from './capability.ts';
import { judgeText, mostArgvBytes } from './characters.ts';
import { environmentReasons } from './environment.ts';
import { Judge } from './judge.ts';
import { type KillQuestion, killReasons } from './kill/kill-list.ts';
import { textReasons } from './operator.ts';
import { objectionTo, type Place, placeAt, workspace } from './paths.ts';
import { planOf, planOfWords } from './plan.ts';
import type { Capability, Policy } from './policy.ts';
import { judgePowershell } from './powershell/judge.ts';
import { inOrder, reason, strictest } from './reasons.ts';
import { parseScript } from './script/measure.ts';
import { beyondSh } from './script/posix.ts';
import { readScript } from './script/read.ts';
import { NotUnderstood } from './script/tree.ts';

type Shell = Extract<Command, { mode: 'script' }>['shell'];

/** Who wants what, where. */
export interface Question extends Pick<JobDraft, 'capability' | 'command' | 'cwd' | 'paths' | 'image' | 'container'> {
	readonly principal: Pick<Principal, 'roles' | 'capabilities'>;
	readonly env: Readonly<Record<string, string>>;
	readonly deviceId: string;
}

export function decide(loaded: Policy, question: Question): PolicyDecision {
	const policy = { ...loaded, paths: { ...loaded.paths, within: question.paths } };
	const tooMuch = textReasonsOf(policy, question);
	if (tooMuch.length > 0) return decision(policy, tooMuch, null, null);
	const capability = confined(policy.capabilities.get(question.capability), question);
	const unreadable = unreadableReasons(policy, capability, question);
	if (unreadable.length > 0) return decision(policy, unreadable, null, null);
	const reasons = [
		...killReasons(killQuestion(policy, capability, question)),
		...capabilityReasons(policy, capability, question),
	];
	if (!capability) return decision(policy, reasons, null, null);
	const judged = judgeJob(policy, capability, question);
	return decision(policy, [...reasons, ...judged.reasons], judged.plan, capability);
}

function killQuestion(policy: Policy, capability: Capability | undefined, question: Question): KillQuestion {
	const { command, cwd } = question;
	const isPowershell = command.mode === 'script' && shellOf(capability, command.shell) === 'powershell';
	return { capability: question.capability, command, cwd, isPowershell, own: policy.paths.own };
}

const shellOf = (capability: Capability | undefined, wanted: Shell): Exclude<Shell, 'auto'> =>
	wanted === 'auto' ? (capability?.shells[0] ?? 'bash') : wanted;

/** Where a job confines itself to some paths, what cannot be proved to keep to them does not run. */
const confined = (capability: Capability | undefined, { paths }: Question): Capability | undefined =>
	capability && paths ? { ...capability, otherwise: 'deny', unlisted: 'deny' } : capability;

/** Stages that look at the text alone come first; what they refuse is not read any further. */
function textReasonsOf(policy: Policy, { command, env, cwd }: Question): PolicyReason[] {
	const most = command.mode === 'argv' ? mostArgvBytes : policy.scripts.maxBytes;
	return [
		...judgeText(command.mode === 'argv' ? command.argv : [command.script], most),
		...judgeText([...Object.keys(env), ...Object.values(env)], mostArgvBytes),
		...judgeText([cwd ?? ''], mostPathBytes),
	];
}

/** What is no script, or too much of one, is not thought about any further. */
function unreadableReasons(policy: Policy, capability: Capability | undefined, { command }: Question): PolicyReason[] {
	if (command.mode === 'argv' || shellOf(capability, command.shell) === 'powershell') return [];
	try {
		parseScript(command.script, policy.scripts);
		return [];
	} catch (error) {
		if (!(error instanceof NotUnderstood) || error.kind === 'dynamic') throw error;
		return [reason(error.kind, 'deny', `${error.kind}/script`, error.message)];
	}
}

/** As long as Linux lets a path be. */
const mostPathBytes = 4096;

interface Judged {
	readonly reasons: readonly PolicyReason[];
	readonly plan: CommandPlan | null;
}

function judgeJob(policy: Policy, capability: Capability, question: Question): Judged {
	const { command, env, cwd } = question;
	const folder = placeAt(workspace, cwd ?? '');
	const before = [
		...textReasons(policy, capability.name, textOf(command)),
		...environmentReasons(policy.environment, env),
		...folderReasons(policy, folder, cwd),
	];
	const judged = judgeCommand(policy, capability, question, folder ?? workspace);
	return { reasons: [...before, ...judged.reasons], plan: judged.plan };
}

/** What patterns over the whole text are tried on. */
const textOf = (command: Command): string => (command.mode === 'argv' ? command.argv.join(' ') : command.script);

function folderReasons(policy: Policy, folder: Place | undefined, cwd: string | undefined): PolicyReason[] {
	if (cwd === undefined) return [];
	const why = folder ? objectionTo(policy.paths, folder, 'read') : `${cwd.slice(0, 120)} leads out of the workspace`;
	return why === undefined ? [] : [reason('path', 'deny', 'path/cwd', `the job cannot start there: ${why}`)];
}

const everySet = [quietEnvironment, usualEnvironment];

function judgeCommand(policy: Policy, capability: Capability, question: Question, folder: Place): Judged {
	const { command, env } = question;
	const profile = policy.profiles[capability.profile];
	const judge = new Judge({
		policy,
		capability,
		folder,
		isSetOutside: (name) => [env, profile?.env ?? {}, ...everySet].some((set) => Object.hasOwn(set, name)),
		isHomeWorkspace: profile?.env.HOME === undefined,
	});
	if (!capability.accepts.includes(command.mode)) {
		const why = command.mode === 'argv' ? 'a command as a list of words' : 'a script';
		return { reasons: [reason('capability', 'deny', 'capability/accepts', `it does not take ${why}`)], plan: null };
	}
	const plan =
		command.mode === 'argv' ? judgeArgv(policy, judge, command.argv) : judgeScript(policy, judge, capability, command);
	return { reasons: [...judge.reasons, ...approvalReasons(capability, judge)], plan };
}

function approvalReasons(capability: Capability, { isAutoApproved }: Judge): PolicyReason[] {
	if (!capability.requiresApproval || isAutoApproved) return [];
	return [reason('capability', 'ask', 'capability/approval', `${capability.name} needs approval`)];
}

function judgeArgv(policy: Policy, judge: Judge, argv: readonly string[]): CommandPlan {
	judge.argv(argv);
	return planOfWords(policy, argv);
}

function judgeScript(
	policy: Policy,
	judge: Judge,
	capability: Capability,
	{ script, shell: wanted }: Extract<Command, { mode: 'script' }>,
): CommandPlan | null {
	const shell = shellOf(capability, wanted);
	if (!capability.shells.includes(shell)) {
		judge.reasons.push(reason('capability', 'deny', 'capability/shells', `it does not run ${shell}`));
		return null;
	}
	if (shell === 'powershell') return judgePowershell(policy, judge, capability, script);
	try {
		const list = readScript(script, policy.scripts);
		const foreign = shell === 'sh' ? beyondSh(list) : undefined;
		if (foreign !== undefined) throw new NotUnderstood('dynamic', `sh has no ${foreign}`);
		judge.script(list);
		if (judge.reasons.length === 0 && list.items.length > 0)
			judge.reasons.push(reason('script', 'allow', 'script/no-program', 'it starts no program'));
		return planOf(policy, list, shell);
	} catch (error) {
		if (!(error instanceof NotUnderstood)) throw error;
		return notUnderstood(judge, capability, error, { mode: 'script', script, shell });
	}
}

/** Too much and no script at all are never let run; the rest is up to the capability. */
function notUnderstood(
	judge: Judge,
	capability: Capability,
	error: NotUnderstood,
	plan: CommandPlan,
): CommandPlan | null {
	const { kind, message } = error;
	judge.isAutoApproved = false;
	if (kind !== 'dynamic') {
		judge.reasons.push(reason(kind, 'deny', `${kind}/script`, message));
		return null;
	}
	const isFree = capability.scripts === 'free';
	const word = isFree ? capability.otherwise : 'deny';
	judge.reasons.push(reason('script', word, 'script/not-understood', `the script cannot be understood: ${message}`));
	return isFree ? plan : null;
}

const least = (...numbers: (number | undefined)[]): number | undefined => {
	const given = numbers.filter((number) => number !== undefined);
	return given.length === 0 ? undefined : Math.min(...given);
};

function decision(
	policy: Policy,
	found: readonly PolicyReason[],
	plan: CommandPlan | null,
	capability: Capability | null,
): PolicyDecision {
	const reasons = inOrder(found.length > 0 ? found : [reason('default', 'deny', 'default', 'no rule allows it')]);
	const word = plan && capability ? strictest(reasons) : 'deny';
	const profile = capability ? policy.profiles[capability.profile] : undefined;
	const timeoutMs = least(capability?.timeoutMs, profile?.timeoutMs);
	const outputBytes = least(capability?.maxOutputBytes, profile?.outputBytes);
	const isDenied = word === 'deny';
	return {
		decision: word,
		reasons,
		plan: isDenied ? null : plan,
		profile: isDenied || !capability ? null : capability.profile,
		limits: { ...(timeoutMs !== undefined && { timeoutMs }), ...(outputBytes !== undefined && { outputBytes }) },
		isHighRisk: word === 'ask' && isHighRisk(capability, reasons),
		policyHash: policy.hash,
	};
}

/** What nobody can foresee by reading it is not approved with a click. */
const isHighRisk = (capability: Capability | null, reasons: readonly PolicyReason[]): boolean =>
	capability?.isHighRisk === true ||
	reasons.some(({ class: kind, decision: word }) => kind === 'script' && word === 'ask');
