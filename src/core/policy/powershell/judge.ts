/** Judges a PowerShell script. Pure. */
import type { CommandPlan } from '../../../contract/policy.ts';
import type { Judge } from '../judge.ts';
import type { Capability, Policy } from '../policy.ts';
import { reason } from '../reasons.ts';

/** There is no reader of the whole language: what is not plain words is not understood. */
export function judgePowershell(
	_policy: Policy,
	judge: Judge,
	capability: Capability,
	script: string,
): CommandPlan | null {
	judge.isAutoApproved = false;
	const isFree = capability.scripts === 'free';
	const word = isFree ? capability.otherwise : 'deny';
	judge.reasons.push(reason('script', word, 'script/powershell', 'a PowerShell script is not understood'));
	return isFree ? { mode: 'script', script, shell: 'powershell' } : null;
}
