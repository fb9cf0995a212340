/** Judges a PowerShell script. Pure. */
import type { CommandPlan } from '../../../contract/policy.ts';
import type { Judge } from '../judge.ts';
import { commandReasons } from '../operator.ts';
import type { Capability, Policy } from '../policy.ts';
import { isExecCapableName } from '../programs/exec-capable.ts';
import { reason } from '../reasons.ts';
import { type WindowsCommand, windowsCommands } from './words.ts';

/** Commands that run what they are given, whatever pattern approves them. */
const starters =
	/^(invoke-.*|start-(process|job|threadjob|service)|new-(object|service|pssession|alias)|add-type|import-.*|set-alias|enter-.*|register-.*|iex|icm|foreach-object|where-object|%|\.|&)$/;

/**
 * There is no reader of the whole language, so a script is never understood: it runs where every command in it is plain words
 * that a pattern approves, or where the capability lets anything run; otherwise somebody is asked, or it is denied.
 */
export function judgePowershell(
	policy: Policy,
	judge: Judge,
	capability: Capability,
	script: string,
): CommandPlan | null {
	const commands = windowsCommands(script);
	const shown = (command: WindowsCommand): string => [command.name, ...command.args].join(' ');
	for (const command of commands)
		judge.reasons.push(...commandReasons(policy, capability.name, command.name, shown(command)));
	const isFree = capability.scripts === 'free';
	const plan: CommandPlan | null = isFree ? { mode: 'script', script, shell: 'powershell' } : null;
	const isApproved = commands.length > 0 && commands.every((command) => isApprovedBy(capability, command));
	judge.isAutoApproved = isFree && isApproved;
	if (judge.isAutoApproved)
		judge.reasons.push(reason('program', 'allow', 'auto-approve', 'patterns approve every command'));
	else {
		const word = isFree ? capability.otherwise : 'deny';
		judge.reasons.push(reason('script', word, 'script/powershell', 'a PowerShell script is not understood'));
	}
	return plan;
}

function isApprovedBy({ autoApprove }: Capability, { name, args, written, isPlain }: WindowsCommand): boolean {
	if (!isPlain || starters.test(name) || isExecCapableName(name)) return false;
	const words = [written, ...args].join(' ');
	return autoApprove.some(({ regex }) => regex.matches(words));
}
