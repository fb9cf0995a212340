/** The nsjail backend: finds its parts, proves once that they work on this host, and runs jobs in jails. */
import { KnownError } from '../../../../contract/error.ts';
import { defaultLimits } from '../../../../contract/limits.ts';
import { type Cgroup, type CgroupHost, findCgroups } from '../../../host/cgroup.ts';
import { dataHome, isEnterableByOthers, isRoot } from '../../../host/folders.ts';
import { isKernelAtLeast, kernelFacts, readUidMap } from '../../../host/kernel.ts';
import { RunFolder } from '../../../host/run-folder.ts';
import type { Backend, BoxIo, BoxOutcome, BoxSpec, Probe, ProbeStep, Tier } from '../../backend.ts';
import { buildImage, type Image } from '../../image.ts';
import { configFor } from './config.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import { locateNsjail } from './locate.ts';
import { JailRun } from './run.ts';
import { firstJailUser, Slots } from './slots.ts';

/** Everything that is the same for each jail of this process. */
interface Ground {
	readonly binary: string;
	readonly image: Image;
	readonly cgroups: CgroupHost | undefined;
	readonly hasProc: boolean;
	/** Undefined when not started as root: then the jail's user is our own. */
	readonly firstUser: number | undefined;
	readonly tier: Tier;
}

/** One for the whole process, because a slot is a user of the host. */
const slots = new Slots();

export class NsjailBackend implements Backend {
	readonly name = 'nsjail';
	#ground: Promise<Ground> | undefined;

	/** The interpreters of the jail; building them is part of standing on the ground. */
	async image(): Promise<Image> {
		return (await this.#stand()).image;
	}

	async run(spec: BoxSpec, io: BoxIo): Promise<BoxOutcome & { readonly tier: Tier }> {
		const ground = await this.#stand();
		return { ...(await this.#runOn(ground, spec, io)), tier: ground.tier };
	}

	async probe(): Promise<Probe> {
		const steps: ProbeStep[] = [];
		try {
			const ground = await this.#findGround(steps);
			return { backend: this.name, tier: ground.tier, steps };
		} catch (error) {
			if (!KnownError.is(error)) throw error;
			return { backend: this.name, tier: null, steps };
		}
	}

	/** Found once and kept; a failure is not kept, so that a repaired host works without a restart. */
	#stand(): Promise<Ground> {
		this.#ground ??= this.#findGround([]).catch((error: unknown) => {
			this.#ground = undefined;
			throw error;
		});
		return this.#ground;
	}

	async #findGround(steps: ProbeStep[]): Promise<Ground> {
		const binary = await requireBinary(steps);
		const home = requireHome(steps);
		const image = await buildImage(home);
		steps.push(...runtimeSteps(image));
		const cgroups = findCgroups();
		steps.push(cgroupStep(cgroups));
		const firstUser = isRoot() ? firstJailUser(readUidMap(), process.pid) : undefined;
		steps.push(identityStep(firstUser));
		const draft = { binary, image, cgroups, firstUser, hasProc: true };
		const hasProc = await this.#prove(draft, steps);
		const tier = steps.some((step) => step.status === 'reduced') ? 'reduced' : 'full';
		return { ...draft, hasProc, tier };
	}

	/** Starts a real jail; without a fresh /proc it is tried once more without one. */
	async #prove(draft: Omit<Ground, 'tier'>, steps: ProbeStep[]): Promise<boolean> {
		const first = await this.#trial(draft);
		if (!first) {
			steps.push({ name: 'trial run', status: 'ok', detail: 'a program ran in a jail', fix: null });
			return true;
		}
		const second = first.step === 'fresh /proc' ? await this.#trial({ ...draft, hasProc: false }) : first;
		const isSaved = second === undefined;
		const shown = second ?? first;
		steps.push({ name: shown.step, status: isSaved ? 'reduced' : 'failed', detail: shown.detail, fix: shown.fix });
		if (!isSaved) throw new KnownError('SANDBOX_UNAVAILABLE', { details: shown.detail });
		return false;
	}

	async #trial(draft: Omit<Ground, 'tier'>): Promise<Diagnosis | undefined> {
		const io = { stdin: undefined, onOutput: () => {}, signal: new AbortController().signal };
		const outcome = await this.#runOn({ ...draft, tier: 'full' }, trialSpec, io);
		if (outcome.exit?.code === 0) return undefined;
		return diagnose(outcome.fault ?? `the trial program ended with ${JSON.stringify(outcome.exit)}`, kernelFacts());
	}

	async #runOn(ground: Ground, spec: BoxSpec, io: BoxIo): Promise<BoxOutcome> {
		const slot = slots.lease();
		ground.cgroups?.prepareToAdd();
		const folder = RunFolder.create();
		const cgroup = ground.cgroups?.create(folder.name, {
			memoryBytes: spec.limits.memoryBytes,
			processes: spec.limits.processes + 1,
		});
		const user = outsideUser(ground, slot);
		const stdinPath = io.stdin === undefined ? undefined : folder.writeFor(user.outsideGroup, 'stdin', io.stdin);
		const place = { ...placeOf(ground, cgroup), ...user, stdinPath };
		const configPath = folder.writePrivate('jail.cfg', configFor(spec, place));
		const run = new JailRun({ binary: ground.binary, configPath }, spec, io, cgroup);
		void run.gone.then(() => {
			cgroup?.remove();
			folder.remove();
			slots.release(slot);
		});
		return run.outcome();
	}
}

/** Without root only our own user and our own group can stand behind the jail's. */
function outsideUser({ firstUser }: Ground, slot: number) {
	if (firstUser !== undefined) return { outsideUser: firstUser + slot, outsideGroup: firstUser + slot };
	return { outsideUser: process.getuid?.() ?? 0, outsideGroup: process.getgid?.() ?? 0 };
}

function placeOf(ground: Ground, cgroup: Cgroup | undefined) {
	return {
		root: ground.image.root,
		binds: ground.image.binds,
		architecture: process.arch,
		hasCgroup: cgroup !== undefined,
		groupsToJoin: cgroup?.taskLists.length ?? 0,
		countsOwnProcesses: ground.firstUser !== undefined || isKernelAtLeast(5, 14),
		hasProc: ground.hasProc,
	};
}

const trialSpec: BoxSpec = {
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

async function requireBinary(steps: ProbeStep[]): Promise<string> {
	const binary = process.platform === 'linux' ? await locateNsjail() : undefined;
	if (binary) {
		steps.push({ name: 'nsjail binary', status: 'ok', detail: binary, fix: null });
		return binary;
	}
	const detail = process.env.SECURE_CODE_NSJAIL ? 'SECURE_CODE_NSJAIL names no program' : 'nsjail was not found';
	const fix = process.platform === 'linux' ? 'secure-code setup' : 'nsjail needs Linux; run n8n there.';
	steps.push({ name: 'nsjail binary', status: 'failed', detail, fix });
	throw new KnownError('SANDBOX_UNAVAILABLE', { details: detail });
}

/** A jail started by root runs as another user, who must be able to reach the files of the jail. */
function requireHome(steps: ProbeStep[]): string {
	const home = dataHome();
	if (isRoot() && !isEnterableByOthers(home)) {
		const detail = 'the data folder lies in a folder that other users cannot enter';
		steps.push({
			name: 'data folder',
			status: 'failed',
			detail,
			fix: 'Set SECURE_CODE_HOME to a folder that every user can enter, for example /var/lib/secure-code.',
		});
		throw new KnownError('SANDBOX_UNAVAILABLE', { details: detail });
	}
	steps.push({ name: 'data folder', status: 'ok', detail: home, fix: null });
	return home;
}

function runtimeSteps(image: Image): ProbeStep[] {
	return (['python', 'javascript', 'bash'] as const).map((language) => {
		const runtime = image.runtimes[language];
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

function identityStep(firstUser: number | undefined): ProbeStep {
	const name = 'separate user';
	if (firstUser !== undefined) return { name, status: 'ok', detail: `user ids from ${firstUser}`, fix: null };
	return {
		name,
		status: 'reduced',
		detail: 'jails run as the user that runs n8n, because only root can give them one of their own',
		fix: 'Nothing must be done; for the strongest separation run n8n as root in a container of its own.',
	};
}
