import { describe, expect, it } from 'vitest';
import { cgroupCandidates } from '../../../../src/core/host/cgroup-plan.ts';

const none = { memory: [], pids: [], cpuacct: [], cpu: [] };

const mountV2 = (point: string, root = '/') =>
	`30 23 0:26 ${root} ${point} rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`;

const mountV1 = (controllers: string, root = '/') =>
	`35 31 0:32 ${root} /sys/fs/cgroup/${controllers} rw,relatime - cgroup cgroup rw,${controllers}\n`;

const all = () => 'cpuset cpu io memory hugetlb pids rdma\n';
const noControllers = () => '';

describe('cgroupCandidates', () => {
	it('tries the own group, then the top, on a host with version 2', () => {
		const plan = cgroupCandidates('0::/system.slice/n8n.service\n', mountV2('/sys/fs/cgroup'), all);
		expect(plan).toEqual({ v2: ['/sys/fs/cgroup/system.slice/n8n.service', '/sys/fs/cgroup'], v1: none });
	});

	it('offers only folders whose controllers were handed down: a session of a systemd user', () => {
		const session = '/user.slice/user-1000.slice/user@1000.service/app.slice/n8n.scope';
		const delegated = (folder: string) => (folder.endsWith('.scope') ? 'memory pids\n' : 'cpu\n');
		const plan = cgroupCandidates(`0::${session}\n`, mountV2('/sys/fs/cgroup'), delegated);
		expect(plan.v2).toEqual([`/sys/fs/cgroup${session}`]);
	});

	it('offers nothing to a systemd user without delegation', () => {
		const plan = cgroupCandidates('0::/user.slice/session-1.scope\n', mountV2('/sys/fs/cgroup'), () => 'pids\n');
		expect(plan).toEqual({ v2: [], v1: none });
	});

	it('takes a controller whose name only holds "memory" for nothing', () => {
		expect(cgroupCandidates('0::/\n', mountV2('/sys/fs/cgroup'), () => 'memory_recursive pids').v2).toEqual([]);
	});

	it('finds the own group of every controller on version 1', () => {
		const membership = '4:memory:/user/a\n8:pids:/\n2:cpu,cpuacct:/b\n';
		const mounts = mountV1('cpu,cpuacct') + mountV1('memory') + mountV1('pids');
		expect(cgroupCandidates(membership, mounts, noControllers)).toEqual({
			v2: [],
			v1: {
				memory: ['/sys/fs/cgroup/memory/user/a', '/sys/fs/cgroup/memory'],
				pids: ['/sys/fs/cgroup/pids'],
				cpuacct: ['/sys/fs/cgroup/cpu,cpuacct/b', '/sys/fs/cgroup/cpu,cpuacct'],
				cpu: ['/sys/fs/cgroup/cpu,cpuacct/b', '/sys/fs/cgroup/cpu,cpuacct'],
			},
		});
	});

	it('takes version 1 on a hybrid host, whose version 2 has no controllers', () => {
		const membership = '8:pids:/\n4:memory:/api/x\n2:cpuacct:/\n1:name=systemd:/\n0::/\n';
		const mounts =
			mountV1('memory') +
			mountV1('pids') +
			mountV1('cpuacct') +
			mountV1('name=systemd') +
			mountV2('/sys/fs/cgroup/unified');
		expect(cgroupCandidates(membership, mounts, noControllers)).toEqual({
			v2: [],
			v1: {
				memory: ['/sys/fs/cgroup/memory/api/x', '/sys/fs/cgroup/memory'],
				pids: ['/sys/fs/cgroup/pids'],
				cpuacct: ['/sys/fs/cgroup/cpuacct'],
				cpu: [],
			},
		});
	});

	it('takes the mount itself in a container with a namespace of its own', () => {
		expect(cgroupCandidates('0::/\n', mountV2('/sys/fs/cgroup'), all).v2).toEqual(['/sys/fs/cgroup']);
	});

	it('knows that in a container without such a namespace the mount shows the own group', () => {
		const own = '/docker/0123';
		expect(cgroupCandidates(`0::${own}\n`, mountV2('/sys/fs/cgroup', own), all).v2).toEqual(['/sys/fs/cgroup']);
	});

	it('stays within the mount when the own group lies outside of it', () => {
		const plan = cgroupCandidates('0::/../other\n', mountV2('/sys/fs/cgroup', '/docker/0123'), all);
		expect(plan.v2).toEqual(['/sys/fs/cgroup']);
	});

	it.each([
		['', ''],
		['0::/\n', ''],
		['', mountV2('/sys/fs/cgroup')],
		['garbage', 'garbage - cgroup2\n'],
	])('finds nothing where /proc says %j and %j', (membership, mounts) => {
		expect(cgroupCandidates(membership, mounts, all)).toEqual({ v2: [], v1: none });
	});
});
