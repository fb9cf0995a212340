/** What a container job is given: its image, its mounts, its environment, its script. */
import { openSync } from 'node:fs';
import { KnownError } from '../../contract/error.ts';
import { defaultLimits } from '../../contract/limits.ts';
import { isAtOrBelow, mountsBelow } from '../host/mounts.ts';
import type { RunFolder } from '../host/run-folder.ts';
import type { ContainerPlan } from './container-words.ts';
import type { PreparedJob } from './engine.ts';
import { environmentFor } from './environment.ts';
import { alwaysHidden } from './hidden.ts';
import { lookAtDevice } from './look.ts';

/** What QuickCMD gives a job. */
const usualCpus = 0.5;
const scriptPath = '/opt/secure-code/script';
const shells = {
	bash: ['bash', '--noprofile', '--norc'],
	sh: ['sh'],
	powershell: ['pwsh', '-NoProfile', '-NonInteractive', '-File'],
};

export const openInput = (folder: RunFolder, stdin: string | null): number | undefined =>
	stdin === null ? undefined : openSync(folder.writePrivate('stdin', stdin), 'r');

export function writeEnvironment(folder: RunFolder, env: Readonly<Record<string, string>>): string {
	const lines = Object.entries(env).map(([name, value]) => `${name}=${value}`);
	if (lines.some((line) => /[\n\r\0]/.test(line)))
		throw new KnownError('JOB_UNSUPPORTED', { field: 'env', details: 'a variable of a container holds one line' });
	return folder.writePrivate('env', `${lines.join('\n')}\n`);
}

function imageFor({ profile, rules, image }: PreparedJob): string {
	const chosen = image ?? rules.images[0];
	if (chosen === undefined) throw new KnownError('PROFILE_UNUSABLE', { profile, details: 'it allows no image' });
	if (!rules.images.includes(chosen) || chosen.startsWith('-'))
		throw new KnownError('JOB_UNSUPPORTED', { field: 'image', details: 'it is not among the images of the profile' });
	return chosen;
}

/** A container cannot cover a part of what it shows, and mounts inside a mount would keep their own rights. */
function mountsFor({ profile, rules }: PreparedJob, hidden: readonly string[]): ContainerPlan['mounts'] {
	const device = lookAtDevice(null);
	const refuse = (details: string): never => {
		throw new KnownError('PROFILE_UNUSABLE', { profile, details });
	};
	const secret = [...alwaysHidden, ...hidden, ...rules.masks].map((path) => device.realpath(path) ?? path);
	return rules.mounts.flatMap(({ path, as = path, isWritable, isOptional }) => {
		const source = device.realpath(path);
		if (source === undefined) return isOptional ? [] : refuse(`${path} does not exist; "isOptional" leaves it out`);
		const kind = device.kindOf(source);
		if (kind !== 'folder' && kind !== 'file') refuse(`${path} is neither a folder nor a file`);
		if (secret.some((one) => isAtOrBelow(one, source) || isAtOrBelow(source, one)))
			refuse(`${path} holds or is something that stays hidden`);
		if (mountsBelow(device.mounts, source).length > 0) refuse(`something is mounted inside ${path}`);
		if (/[,"]/.test(source + as)) refuse(`${path} has a comma or a quote in its name`);
		return [{ source, path: as, isWritable }];
	});
}

export function planFor(
	name: string,
	agent: string,
	folder: RunFolder,
	job: PreparedJob,
	hidden: readonly string[],
): ContainerPlan {
	const { plan, rules, limits } = job;
	const own = { HOME: '/work', TMPDIR: '/tmp', USER: 'device', LOGNAME: 'device' };
	const script = plan.mode === 'script' ? folder.writeForAll('script', plan.script) : undefined;
	const scriptMount = script === undefined ? [] : [{ source: script, path: scriptPath, isWritable: false }];
	return {
		name,
		agent,
		image: imageFor(job),
		argv: plan.mode === 'argv' ? plan.argv : [...shells[plan.shell], scriptPath],
		cwd: job.cwd ?? '/work',
		envFile: writeEnvironment(folder, environmentFor(rules, job.env, own)),
		hasStdin: job.stdin !== null,
		network: job.network ?? rules.network,
		mounts: [...mountsFor(job, hidden), ...scriptMount],
		cpus: rules.cpus ?? usualCpus,
		memoryBytes: limits.memoryBytes,
		processes: limits.processes,
		workBytes: defaultLimits.workBytes,
	};
}

/** Nothing can be mounted into a container that runs, so the script is a word of the command. */
export const scriptInside = (shell: keyof typeof shells, script: string): string[] =>
	shell === 'powershell' ? [...shells.powershell.slice(0, -1), '-Command', script] : [...shells[shell], '-c', script];
