/** What nobody may do on a device, whatever the policy says and whoever approves. Pure. */
import type { Command } from '../../../contract/device-job.ts';
import type { PolicyReason } from '../../../contract/policy.ts';

export function killReasons(_command: Command, _ownPaths: readonly string[]): PolicyReason[] {
	return [];
}
