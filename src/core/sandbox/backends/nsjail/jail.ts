/** One jail on the ground that was found: a user of the host, a control group, a folder, and nsjail itself. */

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

/** Whatever happens, the user, the group and the folder are given back, and not before the jail is gone. */
export async function runJail(footing: Footing, spec: BoxSpec, io: BoxIo): Promise<BoxOutcome> {
	footing.cgroups?.prepareToAdd();
	const folder = RunFolder.create();
	const slot = slots.lease();
	let cgroup: Cgroup | undefined;
	const giveBack = () => {
		cgroup?.remove();
		folder.remove();
		slots.release(slot);
	};
	try {
		cgroup = footing.cgroups?.create(folder.name, groupLimits(spec));
		const configPath = writeConfig(footing, spec, io, folder, outsideUser(footing, slot), cgroup);
		const run = new JailRun({ binary: footing.binary, configPath }, spec, io, cgroup);
		void run.gone.then(giveBack);
		return run.outcome();
	} catch (error) {
		giveBack();
		throw error;
	}
}

/** The first process of a jail counts, too. */
const groupLimits = ({ limits }: BoxSpec) => ({ memoryBytes: limits.memoryBytes, processes: limits.processes + 1 });

function writeConfig(
	footing: Footing,
	spec: BoxSpec,
	io: BoxIo,
	folder: RunFolder,
	user: ReturnType<typeof outsideUser>,
	cgroup: Cgroup | undefined,
): string {
	const stdinPath = io.stdin === undefined ? undefined : folder.writeFor(user.outsideGroup, 'stdin', io.stdin);
	const place = { ...placeOf(footing, cgroup), ...user, stdinPath };
	return folder.writePrivate('jail.cfg', configFor(spec, place));
}

/** Without root only our own user and our own group can stand behind the jail's. */
function outsideUser({ firstUser }: Footing, slot: number) {
	if (firstUser !== undefined) return { outsideUser: firstUser + slot, outsideGroup: firstUser + slot };
	return { outsideUser: process.getuid?.() ?? 0, outsideGroup: process.getgid?.() ?? 0 };
}

function placeOf(footing: Footing, cgroup: Cgroup | undefined) {
	return {
		root: footing.image.root,
		binds: footing.image.binds,
		architecture: process.arch,
		hasCgroup: cgroup !== undefined,
		groupsToJoin: cgroup?.taskLists.length ?? 0,
		countsOwnProcesses: footing.firstUser !== undefined || isKernelAtLeast(5, 14),
		hasProc: footing.hasProc,
	};
}
