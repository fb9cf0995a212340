/** The doctor on what lies on disk: who can change or read it, whether secrets are strong, whether there is room. */
import { existsSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { AgentConfig, KeyEntry } from '../../../contract/agent-config.ts';
import { headProblem } from '../../../core/audit/head-check.ts';
import { databaseFile } from '../../../core/audit/places.ts';
import { verifyAudit } from '../../../core/audit/verify.ts';
import { isEnterableByOthers } from '../../../core/host/folders.ts';
import { readKey } from '../key-files.ts';
import { layoutOf } from '../layout.ts';
import { type Exposure, look as lookAt } from '../ownership.ts';
import { failed, failure, ok, reduced, type Step } from './step.ts';

const MiB = 1024 * 1024;
const dayMs = 86_400_000;
/** Less room than this, and records and output will soon not be written. */
const fewBytes = 200 * MiB;
/** A key that ends this soon should be rotated. */
const soonMs = 14 * dayMs;

const exposed = (name: string, { kind, detail, fix }: Exposure): Step =>
	kind === 'readable' ? reduced(name, detail, fix) : failed(name, detail, fix);

/** Configuration and folders; `warnings` are what reading the configuration found. */
export function filesSteps(dir: string, warnings: readonly Exposure[]): Step[] {
	const { keys, state, run, policy } = layoutOf(dir);
	const found = [keys, state, run, policy].flatMap((path) => (existsSync(path) ? (lookAt(path) ?? []) : []));
	const steps = [...warnings, ...found].map((exposure) => exposed('files', exposure));
	if (isEnterableByOthers(dir)) steps.push(reduced('files', `other users can enter ${dir}`, `chmod 700 ${dir}`));
	return steps.length > 0 ? steps : [ok('files', `${dir} is for its user alone`)];
}

function keyStep(dir: string, entry: KeyEntry, now: number): Step[] {
	try {
		const { warnings } = readKey(dir, entry);
		const { id, notAfter } = entry;
		const ends =
			notAfter !== undefined && notAfter > now && notAfter - now < soonMs
				? [reduced('keys', `key ${id} ends soon`, `secure-code agent keys rotate ${id} --dir ${dir}`)]
				: [];
		return [...warnings.map((exposure) => exposed('keys', exposure)), ...ends];
	} catch (error) {
		return [failure('keys', error)];
	}
}

export function keySteps(dir: string, { keys, listeners }: AgentConfig, now: number): Step[] {
	const good = keys.filter(({ isRevoked, notAfter }) => !isRevoked && (notAfter ?? Number.POSITIVE_INFINITY) > now);
	const steps = good.flatMap((entry) => keyStep(dir, entry, now));
	const faces = new Set(listeners.flatMap((listener) => listener.faces));
	for (const face of faces)
		if (!good.some((entry) => entry.face === face))
			steps.push(reduced('keys', `nobody has a key for ${face}`, `secure-code agent keys add ${face} --dir ${dir}`));
	return steps.length > 0 ? steps : [ok('keys', `${good.length} keys, all strong`)];
}

export function diskSteps(dir: string, { limits }: AgentConfig): Step[] {
	const { bavail, bsize, files, ffree } = statfsSync(dir);
	const free = bavail * bsize;
	const words = `${Math.floor(free / MiB)} MB are free`;
	const fix = `Make room on the file system of ${dir}.`;
	if (free < fewBytes) return [failed('disk', words, fix)];
	if (free < limits.storeBytes)
		return [reduced('disk', `${words}, fewer than one principal may store (limits.storeBytes)`, fix)];
	// Some file systems count no inodes.
	if (files > 0 && ffree < 10_000) return [reduced('disk', `only ${ffree} files can be made`, fix)];
	return [ok('disk', words)];
}

/** From the first row to the last. */
export async function auditSteps(dir: string): Promise<Step[]> {
	if (!existsSync(databaseFile(dir)) && headProblem(dir) === null) return [ok('audit', 'nothing is written yet')];
	const { status, rows, firstBad, problem } = await verifyAudit({ dir });
	if (status === 'intact') return [ok('audit', `${rows} rows, intact`)];
	const detail = firstBad ? `row ${firstBad.seq}: ${firstBad.message}` : `it cannot be read: ${problem}`;
	return [
		failed('audit', detail, `Keep a copy of ${dir}/state, and compare it with checkpoints that were kept elsewhere.`),
	];
}

/** Time is what nonces, tokens and expiries hang on; it cannot be earlier than what was written. */
export function clockSteps(written: number | null, now: number): Step[] {
	const aheadMs = (written ?? 0) - now;
	if (aheadMs > 60_000)
		return [
			failed(
				'clock',
				`the clock is ${Math.round(aheadMs / 1000)} s behind the last row of the audit`,
				'Set the clock, and let a time service such as systemd-timesyncd keep it.',
			),
		];
	return [ok('clock', `${new Date(now).toISOString()} on ${hostname()}`)];
}
