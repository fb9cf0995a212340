/** The policy that is loaded now: read from its file, replaced as a whole, never by one that is not valid. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AgentConfig } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { decide } from '../../core/policy/decide.ts';
import { needsHook, withHook } from '../../core/policy/hook.ts';
import { importDeviceManifest } from '../../core/policy/importers/device-manifest.ts';
import { loadPolicy } from '../../core/policy/load.ts';
import type { Policy } from '../../core/policy/policy.ts';
import { deviceAgentKindOf } from '../wire/device-agent.ts';
import { type ReadOptions, refuseExposed } from './config.ts';
import type { CapabilityFacts } from './face.ts';
import type { Decider } from './job-run.ts';
import { keepManifest, readManifest } from './manifest.ts';
import { look } from './ownership.ts';
import { askHook } from './policy-hook.ts';

export interface PolicyPlace extends ReadOptions {
	/** File of the policy. */
	readonly path: string;
	/** Folder of the agent; no command may name it. */
	readonly dir: string;
}

/** Throws POLICY_INVALID with what is wrong, and CONFIG_INVALID for a file that others can change. */
export function readPolicy({ path, dir, ...options }: PolicyPlace): Policy {
	refuseExposed([look(path)], options);
	return loadPolicy(textOf(path), { ownPaths: [dir] });
}

function textOf(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new KnownError('POLICY_INVALID', { details: `${path} cannot be read` }, { cause: error });
	}
}

/** The policy of the folder, and the one of device_agent's manifest, where the agent goes by one: it has the say on its capabilities. */
export interface PolicyBook {
	readonly main: Policy;
	readonly device: Policy | null;
	/** Folder of the agent. */
	readonly dir: string;
	/** SHA-256 over both, hex; that of the policy alone where there is no manifest. */
	readonly hash: string;
}

export interface BookPlace extends PolicyPlace {
	readonly config: Pick<AgentConfig, 'device' | 'deviceAgent'>;
}

/** Throws POLICY_INVALID also for a manifest that is not signed, or older than the one before; one that holds is kept as the last. */
export function readBook(place: BookPlace): PolicyBook {
	const main = readPolicy(place);
	const { dir, path, config } = place;
	const manifest = readManifest(dir, config.deviceAgent, config.device.id);
	if (!manifest) return { main, device: null, dir, hash: main.hash };
	// Profiles, paths and limits are those of the policy; capabilities, programs and blocklists those of the manifest.
	const device = loadPolicy(importDeviceManifest(manifest.text, textOf(path)).text, { ownPaths: [dir] });
	keepManifest(dir, manifest);
	return { main, device, dir, hash: createHash('sha256').update(`${main.hash}\n${device.hash}`).digest('hex') };
}

const policyFor = ({ main, device }: PolicyBook, capability: string): Policy =>
	device !== null && deviceAgentKindOf(capability) !== undefined ? device : main;

/** What the policy lets run or asks about, its hook is asked about, too. */
export const deciderOf =
	(current: () => PolicyBook, deviceId: string): Decider =>
	async (principal, draft) => {
		const book = current();
		const policy = policyFor(book, draft.capability);
		const { capability, command, cwd, paths, env, image, container } = draft;
		const decision = decide(policy, {
			...{ principal, capability, command, cwd, paths, env, image, container, deviceId },
		});
		if (!policy.hook || !needsHook(decision)) return decision;
		return withHook(decision, await askHook(policy.hook, book.dir, { deviceId, principal, draft, decision }));
	};

/** What there are rules for. */
export function capabilitiesOf(book: PolicyBook): CapabilityFacts[] {
	const all = [book.main, book.device].flatMap((policy) => [...(policy?.capabilities.entries() ?? [])]);
	const decided = all.filter(([name, capability]) => policyFor(book, name).capabilities.get(name) === capability);
	return decided.map(([name, { requiresApproval }]) => ({ name, requiresApproval }));
}

/** Names of the programs that are known for a capability. */
export function programsOf(book: PolicyBook, name: string): readonly string[] {
	const policy = policyFor(book, name);
	const programs = policy.capabilities.get(name)?.programs ?? [];
	return programs === '*' ? [...policy.programs.keys()].sort() : programs;
}
