/** The whole configuration of one jail, as nsjail reads it (config.proto of nsjail 3.6, text format). Pure. */
import { defaultLimits, type Limits, limits as limitTable } from '../../../../contract/limits.ts';
import type { BoxSpec, DeviceView } from '../../backend.ts';
import { deviceUser, initPath, jailUser } from '../../image.ts';
import { mountsFor } from './mounts.ts';
import { type Reach, seccompPolicy } from './seccomp.ts';
import { type Fields, quoted, render, word } from './text-format.ts';

export const MiB = 1024 * 1024;

/** nsjail takes some limits in whole MiB. */
export const wholeMiB = (bytes: number): number => Math.ceil(bytes / MiB);

/** What a jail needs to know beside the job itself. */
export interface JailPlace {
	/** Folder of the host that becomes /; a box that shows the device takes only its first process from there. */
	readonly root: string;
	/** Host folder by path in the jail, read-only. */
	readonly binds: Readonly<Record<string, string>>;
	/** The user and the group of the host that stand behind the jail's own. */
	readonly outsideUser: number;
	readonly outsideGroup: number;
	/** File of the host that the program reads as its stdin; undefined when it has none. */
	readonly stdinPath: string | undefined;
	/** For a box that waits: what is written when its job arrives, host path by path in the jail. Undefined: the job is there. */
	readonly later: Readonly<Record<string, string>> | undefined;
	readonly architecture: string;
	/** Without a memory control group the address space is limited instead, where the language allows it. */
	readonly hasCgroup: boolean;
	/** How many task lists of control groups the first process joins; they are open from descriptor 6 on. */
	readonly groupsToJoin: number;
	/** Before Linux 5.14 a jail without a user of its own is counted together with all other processes of that user. */
	readonly countsOwnProcesses: boolean;
	/** A container that masks its own /proc forbids a fresh one. */
	readonly hasProc: boolean;
}

/** What the kernel can be told to refuse where it does not count the memory of the job. */
export const addressSpaceBytes = (spec: BoxSpec, hasCgroup: boolean): number | undefined =>
	hasCgroup || !spec.limitAddressSpace ? undefined : (wholeMiB(2 * spec.limits.memoryBytes) + 256) * MiB;

const roomy = ['openFiles', 'fileBytes', 'processes', 'memoryBytes'] as const;

/**
 * A limit of a process can be lowered while it runs, not raised, and an interpreter must have started before it is lowered: a
 * box that waits has room for every job with ordinary limits.
 */
export function roomyLimits(asked: Limits): Limits {
	const room = roomy.map((name) => [name, Math.max(asked[name], defaultLimits[name])]);
	return { ...asked, ...Object.fromEntries(room) };
}

/**
 * nsjail's own defaults are traps (4 GiB, 1 MiB files, 32 files, nice 19), so each is set; for some the number counts only
 * with the type beside it. Processor time has no limit of its own: it adds up over threads and would end a job before its
 * wall time.
 */
function rlimitsFor(spec: BoxSpec, place: JailPlace): Fields {
	const limits = place.later ? roomyLimits(spec.limits) : spec.limits;
	const addressSpace = place.later ? undefined : addressSpaceBytes(spec, place.hasCgroup);
	return {
		rlimit_as: addressSpace === undefined ? undefined : addressSpace / MiB,
		rlimit_as_type: addressSpace === undefined ? word('INF') : undefined,
		rlimit_core: 0,
		rlimit_cpu_type: word('INF'),
		rlimit_fsize: wholeMiB(limits.fileBytes),
		rlimit_nofile: limits.openFiles,
		rlimit_nproc: place.countsOwnProcesses ? limits.processes + 1 : undefined,
		rlimit_nproc_type: word(place.countsOwnProcesses ? 'VALUE' : 'SOFT'),
		rlimit_stack: 8,
		rlimit_stack_type: word('VALUE'),
		nice_level: 5,
	};
}

/** Descriptors; 3 to 5 are the control socket, the collector's output and nsjail's log. */
const networkChannel = 6;
const firstList = 7;

/** Seconds beyond the job's own limit after which nsjail ends the jail itself, should we no longer be there. */
const backstopSeconds = 20;

const reachOf = (device: DeviceView | undefined): Reach => {
	if (!device) return 'sandbox';
	return device.network === 'host' ? 'device-network' : 'device';
};

const filters = new Map<string, ReturnType<typeof quoted>>();

/** The greatest part of a configuration is the same for every jail of a process, and is prepared once. */
function filterFor({ architecture, hasCgroup }: JailPlace, reach: Reach) {
	const name = `${architecture} ${hasCgroup} ${reach}`;
	const filter = filters.get(name) ?? quoted(seccompPolicy(architecture, hasCgroup, reach));
	filters.set(name, filter);
	return filter;
}

/** A program has one number in every sandbox; a user of the device has the same number inside and outside. */
function insideIds({ device }: BoxSpec): { readonly user: number; readonly group: number } {
	if (device?.user) return { user: device.user.uid, group: device.user.gid };
	const { id } = device ? deviceUser : jailUser;
	return { user: id, group: id };
}

/** How long a box may wait at the longest. */
export const longestWaitMs = 900_000;
const longestWaitAndRun = (longestWaitMs + limitTable.timeoutMs.ceiling) / 1000;

/** What init/init.c is told about the box. */
function flagsOf({ collectsMadeFolder }: BoxSpec, waits: boolean): string {
	return `${waits ? 'w' : ''}${collectsMadeFolder ? 'e' : ''}` || '-';
}

/** @returns the text of the configuration; it holds nothing of the environment of a job */
export function configFor(spec: BoxSpec, place: JailPlace): string {
	const { device } = spec;
	const inside = insideIds(spec);
	const standsFor = (insideId: number, outsideId: number): Fields => ({
		inside_id: String(insideId),
		outside_id: String(outsideId),
		count: 1,
	});
	const ports = spec.ports.length > 0 ? spec.ports.join(',') : '-';
	const waiting = place.later && spec.waiting;
	const argv = waiting?.argv ?? spec.argv;
	const flags = flagsOf(spec, waiting !== undefined);
	const numbers = [String(argv.length), String(place.groupsToJoin), ports, spec.madeFolder ?? '-', flags];
	const words = [...numbers, ...argv, ...spec.collector];
	const lists = Array.from({ length: place.groupsToJoin }, (_, index) => firstList + index);
	return `${render({
		name: 'secure-code',
		mode: word('ONCE'),
		hostname: device?.hostName ?? 'sandbox',
		cwd: device?.cwd ?? jailUser.home,
		time_limit: backstopSeconds + (waiting ? longestWaitAndRun : Math.ceil(spec.limits.timeoutMs / 1000)),
		log_level: word('WARNING'),
		keep_env: false,
		envar: Object.entries(waiting?.env ?? {}).map(([name, value]) => `${name}=${value}`),
		keep_caps: false,
		cap: spec.ports.length > 0 ? 'CAP_NET_BIND_SERVICE' : undefined,
		disable_no_new_privs: false,
		skip_setsid: false,
		pass_fd: [3, 4, networkChannel, ...lists],
		...rlimitsFor(spec, place),
		clone_newnet: device?.network !== 'host',
		clone_newuser: true,
		clone_newns: true,
		clone_newpid: true,
		clone_newipc: true,
		clone_newuts: true,
		clone_newcgroup: true,
		uidmap: standsFor(inside.user, place.outsideUser),
		gidmap: standsFor(inside.group, place.outsideGroup),
		mount_proc: false,
		mount: mountsFor(spec, place),
		seccomp_string: filterFor(place, reachOf(device)),
		exec_bin: { path: initPath, arg: words },
	})}\n`;
}
