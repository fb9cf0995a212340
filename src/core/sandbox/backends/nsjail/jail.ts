/** One jail on the ground that was found: a user of the host, a control group, a folder, and nsjail itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup, CgroupHost } from '../../../host/cgroup.ts';
import { isKernelAtLeast } from '../../../host/kernel.ts';
import { RunFolder } from '../../../host/run-folder.ts';
import type { BoxIo, BoxOutcome, BoxSpec } from '../../backend.ts';
import type { Image } from '../../image.ts';
import { configFor, type JailPlace } from './config.ts';
import { NsjailProcess } from './nsjail-process.ts';
import { JailRun } from './run.ts';
import { Slots } from './slots.ts';

/** What every jail of this process stands on. */
export interface Footing {
	readonly binary: string;
	readonly image: Image;
	readonly cgroups: CgroupHost | undefined;
	readonly hasProc: boolean;
	/** Undefined when not started as root: then the jail's user is our own. */
	readonly firstUser: number | undefined;
}

/** One for the whole process, because a slot is a user of the host. */
const slots = new Slots();

/** What a command leaves on its device is for its own user alone. */
const deviceUmask = 0o077;

/** A jail that was started. */
export interface Jail {
	readonly outcome: Promise<BoxOutcome>;
	/** Looks at the control group: nobody is in it but the first process of the jail, which leaves last. False without a group. */
	isEmpty(): boolean;
	/** Resolves when the jail has been taken down; true when the host was looked at and nothing of the job is left on it. */
	readonly isGone: Promise<boolean>;
}

/** How long something may still be dying when nsjail has left. */
const dyingMs = 3_000;
const lookMs = 20;

/** What the host has to know of a job before its jail can be made. */
export type SiteSpec = Pick<BoxSpec, 'limits' | 'cpus' | 'device'>;

/** What a jail has of the host: a folder, a user, and a control group. */
export interface JailSite {
	readonly folder: RunFolder;
	readonly user: { readonly outsideUser: number; readonly outsideGroup: number };
	readonly cgroup: Cgroup | undefined;
	/** Called once. @param isGone whether nothing of the jail is left on the host */
	giveBack(isGone: boolean): boolean;
}

export interface StandingJail {
	readonly run: JailRun;
	readonly site: JailSite;
	/** Resolves when the jail has been taken down; true when the host was looked at and nothing of the job is left on it. */
	readonly isGone: Promise<boolean>;
}

/** What a jail shows that lies in its own folder. */
export type OwnFiles = Pick<JailPlace, 'stdinPath' | 'later'>;

/**
 * Takes a user, a group and a folder for one jail.
 * @param spec what the jail is for, as far as the host has to know it
 * @param base where the folder of the run lies; absent: with the temporary files of the host
 */
export function takeSite(footing: Footing, spec: SiteSpec, base?: string): JailSite {
	footing.cgroups?.prepareToAdd();
	const folder = RunFolder.create(base);
	const slot = slots.lease();
	const giveBack = (isGone: boolean): boolean => {
		site.cgroup?.closeTaskLists();
		site.cgroup?.remove();
		folder.discard();
		if (isGone) slots.release(slot);
		return isGone;
	};
	let site: JailSite = { folder, user: outsideUser(footing, spec, slot), cgroup: undefined, giveBack };
	try {
		// Only root has a group to give it to.
		if (footing.firstUser !== undefined) folder.narrowTo(site.user.outsideGroup);
		site = { ...site, cgroup: footing.cgroups?.create(folder.name, groupLimits(spec)) };
		return site;
	} catch (error) {
		giveBack(true);
		throw error;
	}
}

/**
 * Makes a jail on its site. Whatever happens, the site is given back, and not before the jail is gone. A user whose
 * processes would not die is not lent again.
 */
export function standJail(site: JailSite, makeRun: () => JailRun): StandingJail {
	try {
		const run = makeRun();
		return { run, site, isGone: untilDead(run, site.cgroup).then(site.giveBack) };
	} catch (error) {
		site.giveBack(true);
		throw error;
	}
}

/** What a jail shows that lies in its own folder, when its job is there. */
const filesOf = ({ folder, user }: JailSite, io: BoxIo): OwnFiles => ({
	stdinPath: io.stdin === undefined ? undefined : folder.writeFor(user.outsideGroup, 'stdin', io.stdin),
	later: undefined,
});

/** A jail that is made for its job. */
export function startJail(footing: Footing, spec: BoxSpec, io: BoxIo, base?: string): Jail {
	const site = takeSite(footing, spec, base);
	const jail = standJail(site, () => startNsjail(footing, spec, site, filesOf(site, io)));
	return beginJob(jail, spec, io);
}

/** The text of the configuration of a jail whose job is there. */
export const configOf = (footing: Footing, spec: BoxSpec, site: JailSite, io: BoxIo): string =>
	configFor(spec, placeOf(footing, spec, site, filesOf(site, io)));

export function beginJob({ run, site, isGone }: StandingJail, spec: BoxSpec, io: BoxIo): Jail {
	try {
		run.begin({ spec, io });
	} catch (error) {
		run.dismiss();
		throw error;
	}
	const isEmpty = () => site.cgroup?.members().every((pid) => pid === run.initPid) ?? false;
	return { outcome: run.outcome(), isEmpty, isGone };
}

export async function runJail(footing: Footing, spec: BoxSpec, io: BoxIo): Promise<BoxOutcome> {
	return startJail(footing, spec, io).outcome;
}

async function untilDead(run: JailRun, cgroup: Cgroup | undefined): Promise<boolean> {
	await run.gone;
	const isLeft = () => run.isAlive() || (cgroup?.members() ?? []).length > 0;
	for (const since = performance.now(); isLeft(); await sleep(lookMs)) {
		if (performance.now() - since > dyingMs) return false;
	}
	return true;
}

/** The first process of a jail counts, too. */
export const groupLimits = ({ limits, cpus }: SiteSpec) => ({
	memoryBytes: limits.memoryBytes,
	processes: limits.processes + 1,
	cpus,
});

export function startNsjail(footing: Footing, spec: BoxSpec, site: JailSite, own: OwnFiles): JailRun {
	const { folder, cgroup } = site;
	const configPath = folder.writePrivate('jail.cfg', configFor(spec, placeOf(footing, spec, site, own)));
	const hasCollector = spec.collector.length > 0;
	const nsjail = new NsjailProcess(footing.binary, {
		configPath,
		umask: spec.device ? deviceUmask : undefined,
		hasCollector,
		hasNetwork: spec.ports.length > 0,
		taskLists: cgroup?.taskLists ?? [],
	});
	cgroup?.closeTaskLists();
	return new JailRun(nsjail, cgroup, hasCollector);
}

/** Without root only our own user and our own group can stand behind the jail's. */
function outsideUser({ firstUser }: Footing, { device }: SiteSpec, slot: number) {
	if (device?.user) return { outsideUser: device.user.uid, outsideGroup: device.user.gid };
	if (firstUser !== undefined) return { outsideUser: firstUser + slot, outsideGroup: firstUser + slot };
	return { outsideUser: process.getuid?.() ?? 0, outsideGroup: process.getgid?.() ?? 0 };
}

function placeOf(footing: Footing, spec: BoxSpec, { user, cgroup }: JailSite, own: OwnFiles): JailPlace {
	return {
		...user,
		...own,
		root: footing.image.root,
		binds: footing.image.binds,
		architecture: process.arch,
		hasCgroup: cgroup !== undefined,
		groupsToJoin: cgroup?.taskLists.length ?? 0,
		countsOwnProcesses: countsOwnProcesses(footing, spec),
		hasProc: footing.hasProc,
	};
}

/** Whether the limit of processes counts those of the jail alone. */
export const countsOwnProcesses = ({ firstUser }: Footing, { device }: BoxSpec): boolean =>
	(firstUser !== undefined && !device?.user) || isKernelAtLeast(5, 14);
