/** The whole configuration of one jail, as nsjail reads it (config.proto of nsjail 3.6, text format). Pure. */
import { fixedLimits } from '../../../../contract/limits.ts';
import type { BoxSpec } from '../../backend.ts';
import { devices, initPath, jailUser, stdinPath } from '../../image.ts';
import { seccompPolicy } from './seccomp.ts';

const MiB = 1024 * 1024;

/** What a jail needs to know beside the job itself. */
export interface JailPlace {
	/** Folder of the host that becomes /. */
	readonly root: string;
	/** Host folder by path in the jail, read-only. */
	readonly binds: Readonly<Record<string, string>>;
	/** The user and the group of the host that stand behind the jail's own. */
	readonly outsideUser: number;
	readonly outsideGroup: number;
	/** File of the host that the program reads as its stdin; undefined when it has none. */
	readonly stdinPath: string | undefined;
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

type Value = string | number | boolean | Word | Fields;
interface Fields {
	readonly [name: string]: Value | readonly Value[] | undefined;
}

/** An unquoted word of the text format. It is a type of its own, so that no text of a job can pass for one. */
class Word {
	readonly text: string;
	constructor(text: string) {
		this.text = text;
	}
}
const word = (text: string): Word => new Word(text);

/** Text format strings are byte strings: everything outside plain ASCII is written as an octal escape. */
function quote(text: string | Uint8Array): string {
	let quoted = '"';
	for (const byte of Buffer.from(text)) {
		const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
		quoted += isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
	}
	return `${quoted}"`;
}

function render(fields: Fields): string {
	const lines = Object.entries(fields).flatMap(([name, value]) =>
		[value ?? []].flat().map((one: Value) => renderOne(name, one)),
	);
	return lines.join('\n');
}

function renderOne(name: string, value: Value): string {
	if (value instanceof Word) return `${name}: ${value.text}`;
	if (typeof value === 'object') return `${name} { ${render(value).replaceAll('\n', ' ')} }`;
	return `${name}: ${typeof value === 'string' ? quote(value) : value}`;
}

const noPrivileges = { nosuid: true, nodev: true };

const bind = (src: string, dst: string): Fields => ({ src, dst, is_bind: true, ...noPrivileges });

const device = (name: string): Fields => {
	const path = `/dev/${name}`;
	return { src: path, dst: path, is_bind: true, rw: true, nosuid: true, noexec: true };
};

function tmpfs(dst: string, bytes: number, mode: string): Fields {
	const options = `size=${bytes},nr_inodes=${fixedLimits.workInodes},mode=${mode}`;
	return { dst, fstype: 'tmpfs', rw: true, options, ...noPrivileges };
}

const proc: Fields = { dst: '/proc', fstype: 'proc', options: 'subset=pid', nosuid: true, nodev: true, noexec: true };

/** Later mounts lie over earlier ones: the tree, libraries, devices, then what is writable, then the job's own files. */
function mountsFor(spec: BoxSpec, place: JailPlace): Fields[] {
	return [
		bind(place.root, '/'),
		...Object.entries(place.binds).map(([path, source]) => bind(source, path)),
		...devices.map(device),
		...(place.hasProc ? [proc] : []),
		tmpfs('/work', spec.limits.workBytes, '0700'),
		tmpfs('/tmp', fixedLimits.tmpBytes, '1777'),
		tmpfs('/dev/shm', fixedLimits.tmpBytes, '1777'),
		...(place.stdinPath === undefined ? [] : [bind(place.stdinPath, stdinPath)]),
		...spec.binds.map((one) => bind(one.hostPath, one.path)),
		...spec.files.map((file) => ({ src_content: file.content, dst: file.path, ...noPrivileges })),
	];
}

/**
 * nsjail's own defaults are traps (4 GiB, 1 MiB files, 32 files, nice 19), so each is set; for some the number counts only
 * with the type beside it. Processor time has no limit of its own: it adds up over threads and would end a job before its
 * wall time.
 */
function rlimitsFor(spec: BoxSpec, place: JailPlace): Fields {
	const { limits } = spec;
	const isAddressSpaceLimited = !place.hasCgroup && spec.limitAddressSpace;
	return {
		rlimit_as: isAddressSpaceLimited ? Math.ceil((2 * limits.memoryBytes) / MiB) + 256 : undefined,
		rlimit_as_type: isAddressSpaceLimited ? undefined : word('INF'),
		rlimit_core: 0,
		rlimit_cpu_type: word('INF'),
		rlimit_fsize: Math.ceil(limits.fileBytes / MiB),
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

/** @returns the text of the configuration file; it holds names of secrets, never values */
export function configFor(spec: BoxSpec, place: JailPlace): string {
	const standsFor = (id: number): Fields => ({ inside_id: String(jailUser.id), outside_id: String(id), count: 1 });
	const ports = spec.ports.length > 0 ? spec.ports.join(',') : '-';
	const numbers = [String(spec.argv.length), String(place.groupsToJoin), ports, spec.madeFolder ?? '-'];
	const words = [...numbers, ...spec.argv, ...spec.collector];
	const lists = Array.from({ length: place.groupsToJoin }, (_, index) => firstList + index);
	return `${render({
		name: 'secure-code',
		mode: word('ONCE'),
		hostname: 'sandbox',
		cwd: jailUser.home,
		time_limit: Math.ceil(spec.limits.timeoutMs / 1000) + backstopSeconds,
		log_level: word('WARNING'),
		keep_env: false,
		envar: [...Object.entries(spec.env).map(([name, value]) => `${name}=${value}`), ...Object.keys(spec.secretEnv)],
		keep_caps: false,
		cap: spec.ports.length > 0 ? 'CAP_NET_BIND_SERVICE' : undefined,
		disable_no_new_privs: false,
		skip_setsid: false,
		pass_fd: [3, 4, networkChannel, ...lists],
		...rlimitsFor(spec, place),
		clone_newnet: true,
		clone_newuser: true,
		clone_newns: true,
		clone_newpid: true,
		clone_newipc: true,
		clone_newuts: true,
		clone_newcgroup: true,
		uidmap: standsFor(place.outsideUser),
		gidmap: standsFor(place.outsideGroup),
		mount_proc: false,
		mount: mountsFor(spec, place),
		seccomp_string: seccompPolicy(place.architecture, place.hasCgroup),
		exec_bin: { path: initPath, arg: words },
	})}\n`;
}
