/** What a signed request of QuickCMD must hold before it is obeyed, asked in the order of the original. Pure. */
import type { AgentConfig } from '../../../contract/agent-config.ts';
import { holds, type Principal } from '../../../contract/principal.ts';
import {
	type HmacSecret,
	isQuickCmdJobId,
	isQuickCmdSignedBy,
	type QuickCmdPayload,
	type QuickCmdSigned,
	quickCmdBindingOf,
} from '../../wire/quickcmd.ts';
import { type QuickCmdRefused, quickCmdRefusals } from '../../wire/quickcmd-answer.ts';
import type { LiveKey } from '../face.ts';
import { weaknessOf } from '../key-files.ts';

export interface QuickCmdChecks {
	/** Every live secret of every controller: while one is changed for another, both are good. */
	readonly keys: readonly LiveKey[];
	readonly settings: AgentConfig['quickcmd'];
	readonly deviceId: string;
	/** Names of the capabilities of the policy, which a key with the grant "*" has. */
	readonly capabilities: readonly string[];
	/** Unix seconds. */
	readonly now: number;
}

export type QuickCmdCheck =
	| { readonly principal: Omit<Principal, 'peer'> }
	/** `reason`: why, for the record; null where the sender proved who it is. */
	| { readonly refused: QuickCmdRefused; readonly reason: string | null };

/** How far the clock of a controller may be ahead, seconds. */
export const quickCmdSkewSeconds = 60;

const refuse = (refused: QuickCmdRefused, reason: string | null = null): QuickCmdCheck => ({ refused, reason });

/** Secrets are refused when they are loaded, too; one that somebody could guess proves nothing here either. */
export function isGoodSecret(material: LiveKey['material']): material is Buffer {
	return Buffer.isBuffer(material) && weaknessOf(material.toString()) === undefined;
}

/** All keys whose secret made the signature. Every key is tried, so that the time taken says nothing about any. */
function signers(signed: QuickCmdSigned, keys: readonly LiveKey[]): LiveKey[] {
	return keys.filter(({ material }) => isGoodSecret(material) && isQuickCmdSignedBy(signed, material as HmacSecret));
}

export function checkQuickCmd(signed: QuickCmdSigned, checks: QuickCmdChecks): QuickCmdCheck {
	const { payload } = signed;
	const keys = signers(signed, checks.keys);
	if (keys.length === 0) return refuse(quickCmdRefusals.invalidSignature(), 'signature');
	const late = checkTimes(payload, checks);
	if (late) return late;
	const key = keys.find(({ principal }) => principal.name === payload.controllerId);
	if (!key || !checks.settings.allowedControllers.includes(payload.controllerId))
		return refuse(quickCmdRefusals.controllerNotAllowed(), 'controller');
	return checkMeaning(payload, key.principal, checks);
}

function checkTimes({ ttl, timestamp }: QuickCmdPayload, { now, settings }: QuickCmdChecks): QuickCmdCheck | undefined {
	if (ttl < now) return refuse(quickCmdRefusals.expired(), 'expired');
	if (now - timestamp > settings.maxAgeSeconds) return refuse(quickCmdRefusals.tooOld(), 'too old');
	if (timestamp > now + quickCmdSkewSeconds) return refuse(quickCmdRefusals.tooEarly(), 'from the future');
	if (ttl - timestamp > settings.maxTtlSeconds) return refuse(quickCmdRefusals.ttlTooLong(), 'good for too long');
	return undefined;
}

/** What a controller says that is who it says. */
function checkMeaning(
	payload: QuickCmdPayload,
	principal: Omit<Principal, 'peer'>,
	{ settings, deviceId, capabilities }: QuickCmdChecks,
): QuickCmdCheck {
	if (!isQuickCmdJobId(payload.jobId))
		return refuse(quickCmdRefusals.invalidJob('job_id takes 1 to 128 of A-Z a-z 0-9 . _ : -'));
	const unbound = objectionToBinding(payload, deviceId, settings.requireBinding);
	if (unbound !== undefined) return refuse(quickCmdRefusals.wrongDevice(unbound));
	// "*" is all of the policy, and nothing that the policy has never heard of.
	const grants = principal.capabilities.flatMap((grant) => (grant === '*' ? capabilities : [grant]));
	const granted = { ...principal, capabilities: grants, peer: null };
	if (!(payload.requiredScopes ?? []).every((scope) => holds(granted, scope)))
		return refuse(quickCmdRefusals.insufficientScopes());
	return { principal };
}

function objectionToBinding(payload: QuickCmdPayload, deviceId: string, isRequired: boolean): string | undefined {
	const binding = quickCmdBindingOf(payload);
	if (binding === null) return 'plugin_metadata.rs takes device_id and nonce';
	if (binding === undefined) return isRequired ? 'plugin_metadata.rs is missing' : undefined;
	return binding.deviceId === deviceId ? undefined : 'Job is for another device';
}
