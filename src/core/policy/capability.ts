/** Whether somebody may ask for a capability at all: it is in the policy, of this device, granted to the key and to the role. Pure. */
import type { JobDraft } from '../../contract/device-job.ts';
import type { PolicyReason } from '../../contract/policy.ts';
import { holds, may, type Principal } from '../../contract/principal.ts';
import type { Capability, Policy } from './policy.ts';
import { reason } from './reasons.ts';

export interface Claim extends Pick<JobDraft, 'capability' | 'image' | 'container'> {
	readonly principal: Pick<Principal, 'roles' | 'capabilities'>;
	readonly deviceId: string;
}

const deny = (kind: 'capability' | 'role', rule: string, why: string): PolicyReason =>
	reason(kind, 'deny', `${kind}/${rule}`, why);

export function capabilityReasons(policy: Policy, capability: Capability | undefined, claim: Claim): PolicyReason[] {
	return [
		...(capability
			? placeReasons(policy, capability, claim)
			: [deny('capability', 'unknown', `the policy has no capability "${claim.capability.slice(0, 100)}"`)]),
		...roleReasons(policy, claim),
	];
}

function roleReasons(policy: Policy, { principal, capability }: Claim): PolicyReason[] {
	const asked = { ...principal, name: '', keyId: null, peer: null };
	if (!may(asked, 'submit')) return [deny('role', 'submit', 'no role of the key may submit jobs')];
	const isGranted = principal.roles.some(
		(role) =>
			may({ ...asked, roles: [role] }, 'submit') &&
			holds({ ...asked, capabilities: [...(policy.roles[role] ?? [])] }, capability),
	);
	return [
		...(holds(asked, capability) ? [] : [deny('capability', 'not-granted', `the key was not granted ${capability}`)]),
		...(isGranted ? [] : [deny('role', 'not-granted', `no role of the key may use ${capability}`)]),
	];
}

const isAmong = (list: readonly string[], name: string): boolean =>
	list.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))));

const containerName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const imageName = /^[a-z0-9][A-Za-z0-9_./:@-]{0,299}$/;

function placeReasons(policy: Policy, capability: Capability, { deviceId, image, container }: Claim): PolicyReason[] {
	const { devices, containers = [], profile } = capability;
	const images = policy.profiles[profile]?.images ?? [];
	const found: PolicyReason[] = [];
	if (devices && !isAmong(devices, deviceId)) found.push(deny('capability', 'device', 'it is not for this device'));
	if (image !== undefined && !(imageName.test(image) && images.includes(image)))
		found.push(deny('capability', 'image', `the image ${image.slice(0, 100)} is not among those that may be used`));
	if (container !== undefined && !['docker', 'podman'].includes(policy.profiles[profile]?.backend ?? ''))
		found.push(deny('capability', 'no-containers', `the profile ${profile} has no containers`));
	else if (container !== undefined && !(containerName.test(container) && isAmong(containers, container)))
		found.push(
			deny('capability', 'container', `the container ${container.slice(0, 100)} is not among those that may be used`),
		);
	return found;
}
