import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type CgroupHost, findCgroups } from '../../../../src/core/host/cgroup.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

/**
 * A stand-in for control groups of version 2, which the machines these tests were written on do not have: an ordinary folder
 * with files of the same names. It shows what is written and read where; it cannot show that a kernel obeys.
 */
interface StandIn {
	/** Describes a process whose control groups lie in the other folder. */
	readonly self: string;
	readonly top: string;
}

function standIn(ownGroup = '/'): StandIn {
	const [self, top] = [tempFolder(), tempFolder()];
	writeFileSync(join(self, 'cgroup'), `0::${ownGroup}\n`);
	writeFileSync(join(self, 'mountinfo'), `30 23 0:26 / ${top} rw shared:4 - cgroup2 cgroup2 rw\n`);
	return { self, top };
}

function layGroup(folder: string, processes: string): void {
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, 'cgroup.controllers'), 'cpu memory pids\n');
	writeFileSync(join(folder, 'cgroup.procs'), processes);
}

const own = `secure-code-${process.pid}`;
const limits = { memoryBytes: 134_217_728, processes: 65 };

const filesIn = (folder: string): Record<string, string> =>
	Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

describe('control groups of version 2', () => {
	let place: StandIn;
	let host: CgroupHost | undefined;
	beforeEach(() => {
		place = standIn();
		layGroup(place.top, `1\n${process.pid}\n`);
		host = findCgroups(place.self);
	});

	it('are made in a group of this process, to which the controllers are handed down', () => {
		const handed = [place.top, join(place.top, own)].map((folder) =>
			readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8'),
		);
		// A plain file keeps the last word only: memory and pids took, or processor time would not have been asked for.
		expect([host?.version, ...handed]).toEqual(['v2', '+cpu', '+cpu']);
	});

	it('limit memory without swap, and processes; the kernel ends all of a group at once', () => {
		host?.create('run', limits);
		expect(filesIn(join(place.top, own, 'run'))).toEqual({
			'memory.max': '134217728',
			'memory.swap.max': '0',
			'memory.oom.group': '1',
			'pids.max': '65',
		});
	});

	it('limit processors where a job asks for that', () => {
		const quotas = [0.5, 2, 0.000_1].map((cpus, n) => {
			host?.create(`run-${n}`, { ...limits, cpus });
			return readFileSync(join(place.top, own, `run-${n}`, 'cpu.max'), 'utf8');
		});
		expect([host?.hasCpus, quotas]).toEqual([true, ['50000 100000', '200000 100000', '1000 100000']]);
	});

	const statOf = (lines: string) => writeFileSync(join(place.top, own, 'run', 'memory.stat'), lines);
	const limitsIn = () =>
		['memory.max', 'pids.max'].map((name) => readFileSync(join(place.top, own, 'run', name), 'utf8'));

	it('are given other limits while a process waits in them', () => {
		const group = host?.create('run', limits);
		statOf('anon 20000000\nfile 90000000\nshmem 4096\n');
		group?.limit({ memoryBytes: 67_108_864, processes: 17 });
		expect(limitsIn()).toEqual(['67108864', '17']);
		group?.limit(limits);
		expect(limitsIn()).toEqual(['134217728', '65']);
	});

	it('are not given a limit below what they hold, for the kernel would end a process', () => {
		const group = host?.create('run', limits);
		statOf('anon 60000000\nfile 0\nshmem 10000000\n');
		expect(() => group?.limit({ memoryBytes: 67_108_864, processes: 17 })).toThrow('the group holds more already');
		expect(limitsIn()).toEqual(['134217728', '65']);
	});

	it('write no limit anew that is there already', () => {
		const group = host?.create('run', limits);
		writeFileSync(join(place.top, own, 'run', 'memory.max'), 'untouched');
		group?.limit(limits);
		expect(limitsIn()).toEqual(['untouched', '65']);
	});

	it('tell what would be free without them: memory of processes and of folders, not what is kept of files', () => {
		const group = host?.create('run', limits);
		expect(group?.memoryBytes()).toBe(0);
		statOf('anon 20000000\nfile 90000000\nkernel 5000\nshmem 4096\n');
		expect(group?.memoryBytes()).toBe(20_004_096);
	});

	it('tell who is in them', () => {
		const group = host?.create('run', limits);
		expect(group?.members()).toEqual([]);
		writeFileSync(join(place.top, own, 'run', 'cgroup.procs'), '12\n4711\n');
		expect(group?.members()).toEqual([12, 4711]);
	});

	it('take a process in', async () => {
		await host?.create('run', limits).add(4711);
		expect(readFileSync(join(place.top, own, 'run', 'cgroup.procs'), 'utf8')).toBe('4711');
	});

	it('tell what a run has used', () => {
		const group = host?.create('run', limits);
		const files = {
			'memory.events': 'low 0\nhigh 0\nmax 31\noom 2\noom_kill 3\noom_group_kill 1\n',
			'memory.peak': '98566144\n',
			'cpu.stat': 'usage_usec 1234500\nuser_usec 1000000\nsystem_usec 234500\n',
			'pids.events': 'max 7\n',
		};
		for (const [name, text] of Object.entries(files)) writeFileSync(join(place.top, own, 'run', name), text);
		expect(group?.usage()).toEqual({
			oomKills: 3,
			processLimitHits: 7,
			peakMemoryBytes: 98_566_144,
			cpuMs: 1_234.5,
		});
	});

	it('tell nothing where an older kernel has no such file', () => {
		expect(host?.create('run', limits).usage()).toEqual({
			oomKills: 0,
			processLimitHits: 0,
			peakMemoryBytes: 0,
			cpuMs: 0,
		});
	});

	it('are removed', () => {
		const group = host?.create('run', limits);
		const folder = join(place.top, own, 'run');
		// In a real control group the files are no obstacle.
		for (const name of readdirSync(folder)) rmSync(join(folder, name));
		group?.remove();
		expect(existsSync(folder)).toBe(false);
	});

	it('are removed for a process that was killed, and kept for one that lives', () => {
		const [dead, alive] = [join(place.top, 'secure-code-4999999'), join(place.top, 'secure-code-1')];
		for (const folder of [dead, alive]) mkdirSync(join(folder, 'run'), { recursive: true });
		findCgroups(place.self);
		expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
	});

	it('are warmed by moving this process to where it is', async () => {
		host?.prepareToAdd();
		const list = join(place.top, 'cgroup.procs');
		await vi.waitFor(() => expect(readFileSync(list, 'utf8')).toBe(String(process.pid)));
	});
});

describe('a place for control groups', () => {
	it('is below the own group where that is delegated', () => {
		const { self, top } = standIn('/user.slice/n8n.scope');
		layGroup(join(top, 'user.slice/n8n.scope'), '');
		expect(findCgroups(self)?.version).toBe('v2');
		expect(existsSync(join(top, 'user.slice/n8n.scope', own))).toBe(true);
	});

	it('is made free of processes first, where the kernel demands it', () => {
		const { self, top } = standIn();
		layGroup(top, '4711\n');
		// Nothing can be handed down from here, as from a group that holds processes.
		mkdirSync(join(top, 'cgroup.subtree_control'));
		expect(findCgroups(self)).toBeUndefined();
		expect(readFileSync(join(top, 'secure-code-host', 'cgroup.procs'), 'utf8')).toBe('4711');
	});

	it('is not a folder without the controllers', () => {
		const { self, top } = standIn();
		layGroup(top, '');
		writeFileSync(join(top, 'cgroup.controllers'), 'cpu pids\n');
		expect(findCgroups(self)).toBeUndefined();
	});

	it('is nowhere where the kernel has no control groups', () => {
		expect(findCgroups(tempFolder())).toBeUndefined();
	});
});

describe('control groups of version 1', () => {
	const controllers = ['memory', 'pids', 'cpuacct', 'cpu'] as const;

	function hostOfVersion1(): CgroupHost | undefined {
		const self = tempFolder();
		const places = controllers.map((name) => ({ name, folder: tempFolder() }));
		writeFileSync(join(self, 'cgroup'), places.map(({ name }, index) => `${index + 1}:${name}:/\n`).join(''));
		const mounts = places.map(({ name, folder }) => `30 23 0:26 / ${folder} rw shared:4 - cgroup cgroup rw,${name}\n`);
		writeFileSync(join(self, 'mountinfo'), mounts.join(''));
		for (const { folder } of places) layGroup(join(folder, own), '');
		return findCgroups(self);
	}

	it('close their task lists once, and nothing that was opened under the same number since then', () => {
		const group = hostOfVersion1()?.create('run', { ...limits, cpus: 1 });
		const lists = group?.taskLists ?? [];
		expect(lists.length).toBe(controllers.length);
		group?.closeTaskLists();
		const later = controllers.map(() => openSync('/dev/null', 'r'));
		expect(later.filter((descriptor) => lists.includes(descriptor)).length).toBeGreaterThan(0);
		group?.closeTaskLists();
		for (const descriptor of later) closeSync(descriptor);
	});
});
