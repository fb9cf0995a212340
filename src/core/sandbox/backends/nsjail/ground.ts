/** Looks at this host step by step and proves with a real jail that it can be stood on. */
import { existsSync } from 'node:fs';
import { KnownError } from '../../../../contract/error.ts';
import { defaultLimits } from '../../../../contract/limits.ts';
import { type CgroupHost, findCgroups } from '../../../host/cgroup.ts';
import { dataHome, isEnterableByOthers, isRoot, isWritableFolder } from '../../../host/folders.ts';
import { kernelFacts, readUidMap } from '../../../host/kernel.ts';
import type { BoxSpec, ProbeStep, Tier } from '../../backend.ts';
import { buildBareImage, buildImage, type Image, initPath, jailUser } from '../../image.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import { type Footing, runJail } from './jail.ts';
import { locateNsjail } from './locate.ts';
import { firstJailUser } from './slots.ts';

export interface Ground extends Footing {
	readonly tier: Tier;
}

/** What the boxes on this ground show, and the program that proves that one can be made. */
export interface Purpose {
	layOut(home: string): Promise<Image>;
	/** Steps about what was laid out. */
	judge(image: Image): ProbeStep[];
	readonly trial: BoxSpec;
	readonly trialCode: number;
}

/** @param steps receives what was looked at, also when it throws */
export async function findGround(steps: ProbeStep[], purpose: Purpose = forPrograms): Promise<Ground> {
	const binary = await requireBinary(steps);
	const image = await requireImage(requireHome(steps), purpose, steps);
	const cgroups = findCgroups();
	steps.push(cgroupStep(cgroups));
	const firstUser = requireUser(steps);
	const footing = { binary, image, cgroups, firstUser, hasProc: true };
	const hasProc = await prove(footing, purpose, steps);
	const tier = steps.some((step) => step.status === 'reduced') ? 'reduced' : 'full';
	return { ...footing, hasProc, tier };
}

/** Notes the step that failed; nothing is run after it. */
function fail(steps: ProbeStep[], name: string, detail: string, fix: string): never {
	steps.push({ name, status: 'failed', detail, fix });
	throw new KnownError('SANDBOX_UNAVAILABLE', { details: detail });
}

/** Starts a real jail; without a fresh /proc it is tried once more without one. */
async function prove(footing: Footing, purpose: Purpose, steps: ProbeStep[]): Promise<boolean> {
	const first = await trial(footing, purpose);
	if (!first) {
		steps.push({ name: 'trial run', status: 'ok', detail: 'a program ran in a jail', fix: null });
		return true;
	}
	const second = first.step === 'fresh /proc' ? await trial({ ...footing, hasProc: false }, purpose) : first;
	if (second) fail(steps, second.step, second.detail, second.fix);
	steps.push({ name: first.step, status: 'reduced', detail: first.detail, fix: first.fix });
	return false;
}

async function trial(footing: Footing, purpose: Purpose): Promise<Diagnosis | undefined> {
	const io = { stdin: undefined, onOutput: () => {}, signal: new AbortController().signal };
	const outcome = await runJail(footing, purpose.trial, io);
	if (outcome.exit?.code === purpose.trialCode) return undefined;
	return diagnose(outcome.fault ?? `the trial program ended with ${JSON.stringify(outcome.exit)}`, kernelFacts());
}

/** A box that asks for nothing. */
export const emptySpec: BoxSpec = {
	argv: ['/usr/bin/true'],
	env: {},
	secretEnv: {},
	limits: defaultLimits,
	files: [],
	binds: [],
	ports: [],
	limitAddressSpace: false,
	collector: [],
};

/** Boxes for programs that a model wrote. */
const forPrograms: Purpose = {
	layOut: buildImage,
	judge: runtimeSteps,
	trial: emptySpec,
	trialCode: 0,
};

/** Boxes for commands of a device. Nothing of the device need be there: the first process started again, without words, ends with 2. */
export const forCommands: Purpose = {
	layOut: buildBareImage,
	judge: () => [],
	trial: {
		...emptySpec,
		argv: [initPath],
		device: {
			mounts: [{ kind: 'memory', path: jailUser.home, bytes: 65_536, mode: '0700' }],
			cwd: jailUser.home,
			user: null,
			hostName: 'device',
			network: 'none',
			processes: 'own',
		},
	},
	trialCode: 2,
};

async function requireBinary(steps: ProbeStep[]): Promise<string> {
	const binary = process.platform === 'linux' ? await locateNsjail() : undefined;
	if (binary) {
		steps.push({ name: 'nsjail binary', status: 'ok', detail: binary, fix: null });
		return binary;
	}
	const detail = process.env.SECURE_CODE_NSJAIL ? 'SECURE_CODE_NSJAIL names no program' : 'nsjail was not found';
	const fix = process.platform === 'linux' ? 'secure-code setup' : 'nsjail needs Linux; run n8n there.';
	return fail(steps, 'nsjail binary', detail, fix);
}

const otherHome =
	'Set SECURE_CODE_HOME to a folder that every user can enter and this one can write to, for example /var/lib/secure-code.';

/** A jail started by root runs as another user, who must be able to reach the files of the jail. */
function requireHome(steps: ProbeStep[]): string {
	const home = dataHome();
	if (isRoot() && !isEnterableByOthers(home))
		fail(steps, 'data folder', 'other users cannot enter the data folder', otherHome);
	if (!existsSync(home) && !isWritableFolder(home))
		fail(steps, 'data folder', 'the data folder cannot be written', otherHome);
	steps.push({ name: 'data folder', status: 'ok', detail: home, fix: null });
	return home;
}

async function requireImage(home: string, { layOut, judge }: Purpose, steps: ProbeStep[]): Promise<Image> {
	const image = await layOut(home).catch((error: Error) =>
		fail(
			steps,
			'jail files',
			`the files of the jail could not be laid out in the data folder (${error.message})`,
			otherHome,
		),
	);
	steps.push(...judge(image));
	return image;
}

function runtimeSteps(image: Image): ProbeStep[] {
	return (['python', 'javascript', 'bash'] as const).map((language) => {
		const runtime = image.runtimes[language];
		if (runtime?.lack) return { name: language, status: 'reduced', ...runtime.lack };
		if (runtime) return { name: language, status: 'ok', detail: runtime.version, fix: null };
		return { name: language, status: 'reduced', detail: 'not found', fix: 'secure-code setup' };
	});
}

function cgroupStep(cgroups: CgroupHost | undefined): ProbeStep {
	if (cgroups) return { name: 'control groups', status: 'ok', detail: cgroups.version, fix: null };
	return {
		name: 'control groups',
		status: 'reduced',
		detail: 'this process may not make control groups, so memory is watched instead of limited by the kernel',
		fix: 'Run n8n as a systemd service with Delegate=yes (or start it with "systemd-run --user --scope -p Delegate=yes"); in Docker mount /sys/fs/cgroup writable.',
	};
}

/** Root never lends itself to a jail: without users of their own for jails it does not start any. */
function requireUser(steps: ProbeStep[]): number | undefined {
	const name = 'separate user';
	if (!isRoot()) {
		const detail = 'jails run as the user that runs n8n, because only root can give them one of their own';
		const fix = 'Nothing must be done; for the strongest separation run n8n as root in a container of its own.';
		steps.push({ name, status: 'reduced', detail, fix });
		return undefined;
	}
	const firstUser = firstJailUser(readUidMap(), process.pid);
	if (firstUser === undefined)
		fail(
			steps,
			name,
			'this root has no user ids to give to jails',
			'Map at least 65536 user ids into the container, or run n8n as an ordinary user.',
		);
	steps.push({ name, status: 'ok', detail: `user ids from ${firstUser}`, fix: null });
	return firstUser;
}
