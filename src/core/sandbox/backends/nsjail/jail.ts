/** One jail on the ground that was found: a user of the host, a control group, a folder, and nsjail itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup, CgroupHost } from '../../../host/cgroup.ts';
import { isKernelAtLeast } from '../../../host/kernel.ts';
import { RunFolder } from '../../../host/run-folder.ts';
import type { BoxIo, BoxOutcome, BoxSpec } from '../../backend.ts';
import type { Image } from '../../image.ts';
import { configFor } from './config.ts';
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

/**
 * Whatever happens, the user, the group and the folder are given back, and not before the jail is gone. A user whose
 * processes would not die is not lent again.
 * @param base where the folder of the run lies; absent: with the temporary files of the host
 */
export function startJail(footing: Footing, spec: BoxSpec, io: BoxIo, base?: string): Jail {
	footing.cgroups?.prepareToAdd();
	const folder = RunFolder.create(base);
	const slot = slots.lease();
	let cgroup: Cgroup | undefined;
	const giveBack = (isGone: boolean): boolean => {
		cgroup?.remove();
		folder.remove();
		if (isGone) slots.release(slot);
		return isGone;
	};
	try {
		cgroup = footing.cgroups?.create(folder.name, groupLimits(spec));
		const configPath = writeConfig(footing, spec, io, folder, outsideUser(footing, spec, slot), cgroup);
		const run = new JailRun({ binary: footing.binary, configPath }, spec, io, cgroup);
		const isEmpty = () => cgroup?.members().every((pid) => pid === run.initPid) ?? false;
		return { outcome: run.outcome(), isEmpty, isGone: untilDead(run, cgroup).then(giveBack) };
	} catch (error) {
		giveBack(true);
		throw error;
	}
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
const groupLimits = ({ limits, cpus }: BoxSpec) => ({
	memoryBytes: limits.memoryBytes,
	processes: limits.processes + 1,
	cpus,
});

function writeConfig(
	footing: Footing,
	spec: BoxSpec,
	io: BoxIo,
	folder: RunFolder,
	user: ReturnType<typeof outsideUser>,
	cgroup: Cgroup | undefined,
): string {
	const stdinPath = io.stdin === undefined ? undefined : folder.writeFor(user.outsideGroup, 'stdin', io.stdin);
	const place = { ...placeOf(footing, spec, cgroup), ...user, stdinPath };
	return folder.writePrivate('jail.cfg', configFor(spec, place));
}

/** Without root only our own user and our own group can stand behind the jail's. */
function outsideUser({ firstUser }: Footing, { device }: BoxSpec, slot: number) {
	if (device?.user) return { outsideUser: device.user.uid, outsideGroup: device.user.gid };
	if (firstUser !== undefined) return { outsideUser: firstUser + slot, outsideGroup: firstUser + slot };
	return { outsideUser: process.getuid?.() ?? 0, outsideGroup: process.getgid?.() ?? 0 };
}

function placeOf(footing: Footing, { device }: BoxSpec, cgroup: Cgroup | undefined) {
	const hasOwnUser = footing.firstUser !== undefined && !device?.user;
	return {
		root: footing.image.root,
		binds: footing.image.binds,
		architecture: process.arch,
		hasCgroup: cgroup !== undefined,
		groupsToJoin: cgroup?.taskLists.length ?? 0,
		countsOwnProcesses: hasOwnUser || isKernelAtLeast(5, 14),
		hasProc: footing.hasProc,
	};
}
