/** Looks at an agent and its machine before somebody relies on it, and names the one fix for each thing that is not well. */
import { isAbsolute, join } from 'node:path';
import type { FaceName } from '../../../contract/device-job.ts';
import { databaseFile } from '../../../core/audit/places.ts';
import { AuditReader } from '../../../core/audit/reader.ts';
import type { Policy } from '../../../core/policy/policy.ts';
import { type LoadedConfig, readConfig } from '../config.ts';
import { faces } from '../faces.ts';
import { readManifest } from '../manifest.ts';
import { readPolicy } from '../policy-book.ts';
import { runnerFor } from '../runner-choice.ts';
import { auditSteps, clockSteps, diskSteps, filesSteps, keySteps } from './folder.ts';
import { groupSteps, pathSteps } from './host.ts';
import { jailSteps } from './jail.ts';
import { networkSteps } from './network.ts';
import { failure, look, ok, reduced, type Step } from './step.ts';

export interface Diagnosis {
	/** full: all is well. reduced: it works, with something to mend. none: it cannot or must not serve. */
	readonly tier: 'full' | 'reduced' | 'none';
	readonly steps: readonly Step[];
}

function tierOf(steps: readonly Step[]): Diagnosis['tier'] {
	if (steps.some(({ status }) => status === 'failed')) return 'none';
	return steps.some(({ status }) => status === 'reduced') ? 'reduced' : 'full';
}

const diagnosis = (steps: readonly Step[]): Diagnosis => ({ tier: tierOf(steps), steps });

/** When the last row of the audit was written; null while there is none that can be read. */
function lastWritten(dir: string): number | null {
	try {
		const reader = new AuditReader(databaseFile(dir));
		try {
			const [last] = reader.linesAfter(reader.beforeLast(1));
			return last && 'record' in last ? Date.parse(last.record.at) : null;
		} finally {
			reader.close();
		}
	} catch {
		return null;
	}
}

async function policySteps(dir: string, loaded: LoadedConfig): Promise<Step[]> {
	const { policyFile } = loaded.config;
	let policy: Policy;
	try {
		policy = readPolicy({ path: isAbsolute(policyFile) ? policyFile : join(dir, policyFile), dir });
	} catch (error) {
		return [failure('policy', error)];
	}
	const { profiles, capabilities, name } = policy;
	const runner = runnerFor(dir, loaded.config, policy);
	// A container profile is tried by the first job; pulling an image is not for a doctor.
	const tried = Object.entries(profiles).filter(([, { backend }]) => backend === 'nsjail' || backend === 'direct');
	try {
		return [
			capabilities.size > 0
				? ok('policy', `"${name}", ${capabilities.size} capabilities`)
				: reduced('policy', `"${name}" allows nothing`, `Write capabilities into ${policyFile}.`),
			...pathSteps(profiles),
			...(await jailSteps(
				runner,
				tried.map(([profile]) => profile),
				dir,
			)),
		];
	} finally {
		await runner.close();
	}
}

function manifestSteps(dir: string, { deviceAgent, device }: LoadedConfig['config']): Step[] {
	try {
		const manifest = readManifest(dir, deviceAgent, device.id);
		return manifest ? [ok('manifest', `version ${manifest.version}, signed by its operator`)] : [];
	} catch (error) {
		return [failure('manifest', error)];
	}
}

export async function diagnose(dir: string, now = Date.now()): Promise<Diagnosis> {
	let loaded: LoadedConfig;
	try {
		loaded = readConfig(dir);
	} catch (error) {
		return diagnosis([failure('configuration', error)]);
	}
	const { config, warnings } = loaded;
	const faceOf = (name: FaceName) => faces[name];
	return diagnosis([
		ok('configuration', `${config.listeners.length} listeners, ${config.keys.length} keys`),
		...(await look('files', () => filesSteps(dir, warnings))),
		...(await look('keys', () => keySteps(dir, config, now))),
		...(await look('listeners', () => networkSteps(dir, config, faceOf, now))),
		...(await look('policy', () => policySteps(dir, loaded))),
		...(await look('manifest', () => manifestSteps(dir, config))),
		...(await look('groups', () => groupSteps())),
		...(await look('clock', () => clockSteps(lastWritten(dir), now))),
		...(await look('disk', () => diskSteps(dir, config))),
		...(await look('audit', () => auditSteps(dir))),
	]);
}
