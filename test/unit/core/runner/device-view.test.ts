import { describe, expect, it } from 'vitest';
import { deviceViewFor, type ViewParts } from '../../../../src/core/runner/device-view.ts';
import { type Profile, profileSchema } from '../../../../src/core/runner/profile.ts';
import type { BoxMount } from '../../../../src/core/sandbox/backend.ts';
import { type StandIn, standInDevice } from '../../../helpers/device.ts';

const usual: StandIn = {
	links: { '/bin': 'usr/bin', '/lib': 'usr/lib', '/var/run': '/run', '/usr/bin/awk': '/etc/alternatives/awk' },
	files: [
		...['/usr/bin/ls', '/usr/lib/libc.so', '/etc/passwd', '/etc/shadow', '/etc/resolv.conf', '/var/log/syslog'],
		...['/var/lib/agent/keys/device.pem', '/var/lib/agent/policy.yaml', '/srv/data/a', '/srv/data/sub/b', '/home/me/x'],
		...['/opt/tool/bin/tool', '/opt/secure-code/old', '/opt/readme', '/run/user/1/bus'],
	],
	others: ['/run/docker.sock', '/srv/pipe'],
	closed: ['/etc/shadow', '/var/lib/agent'],
};

type Mounts = Partial<Record<keyof Profile, unknown>>['mounts'];

const partsOf = (profile: Partial<Record<keyof Profile, unknown>>, more: Partial<ViewParts> = {}): ViewParts => ({
	name: 'shop',
	profile: profileSchema.parse(profile),
	device: standInDevice(usual),
	hidden: ['/var/lib/agent'],
	isOwnUser: false,
	user: null,
	home: '/home/me',
	inputs: '/var/tmp',
	writableSources: [],
	cwd: null,
	workBytes: 1_000,
	hostName: 'pump-7',
	...more,
});

const mountsOf = (mounts: Mounts, more: Partial<ViewParts> = {}, rest = {}) =>
	deviceViewFor(partsOf({ mounts, ...rest }, more)).mounts;

const bind = (hostPath: string, path = hostPath, more: Partial<Extract<BoxMount, { kind: 'bind' }>> = {}) =>
	({ kind: 'bind', hostPath, path, isWritable: false, isMandatory: true, ...more }) as const;
const hide = (path: string, isFolder: boolean, isMandatory = true) => ({ kind: 'hide', path, isFolder, isMandatory });
const work = { kind: 'memory', path: '/work', bytes: 1_000, mode: '0700' };
const tmp = { kind: 'memory', path: '/tmp', bytes: 33_554_432, mode: '1777' };
const link = (path: string, target: string) => ({ kind: 'link', path, target });

describe('what a view shows', () => {
	it('is a workspace and nothing of the device when the profile mounts nothing', () => {
		expect(deviceViewFor(partsOf({}))).toEqual({
			mounts: [work, tmp],
			cwd: '/work',
			user: null,
			hostName: 'pump-7',
			network: 'none',
			processes: 'own',
		});
	});

	it('is what the profile mounts, where it says, with the links of the system, outer folders first', () => {
		expect(
			mountsOf([{ path: '/srv/data/sub', as: '/usr/lib/data' }, { path: '/usr' }, { path: '/srv/data/a', as: '/a' }], {
				device: standInDevice({ ...usual, files: [...(usual.files ?? []), '/usr/lib/data/place'] }),
			}),
		).toEqual([
			...[work, tmp, link('/bin', 'usr/bin'), link('/lib', 'usr/lib'), bind('/usr'), bind('/srv/data/a', '/a')],
			bind('/srv/data/sub', '/usr/lib/data'),
		]);
	});

	it('follows links of the device to what they stand for', () => {
		expect(mountsOf([{ path: '/bin' }])).toEqual([work, tmp, bind('/usr/bin', '/bin')]);
	});

	it('is writable only where it says so', () => {
		expect(mountsOf([{ path: '/srv/data', as: '/data', isWritable: true }])).toEqual([
			...[work, tmp, bind('/srv/data', '/data', { isWritable: true })],
		]);
	});

	it('leaves out what is not there, if that may be', () => {
		expect(mountsOf([{ path: '/nowhere', isOptional: true }])).toEqual([work, tmp]);
	});

	it('takes a folder of the device for the workspace, or for /tmp, instead of memory', () => {
		expect(mountsOf([{ path: '/srv/data', as: '/work', isWritable: true }])).toEqual([
			...[tmp, bind('/srv/data', '/work', { isWritable: true })],
		]);
	});

	it('shows /opt entry by entry, because the jail has a place of its own in it', () => {
		expect(mountsOf([{ path: '/opt' }])).toEqual([
			...[work, tmp, bind('/opt/readme', '/opt/readme', { isMandatory: false })],
			bind('/opt/tool', '/opt/tool', { isMandatory: false }),
		]);
	});

	it('mounts what is mounted inside a folder once more, with the rights of the folder, and covers what is no file system', () => {
		const device = standInDevice({
			...usual,
			mounts: ['/srv/data/disk ext4', '/srv/data/disk/in tmpfs', '/srv/data/p proc'],
		});
		expect(mountsOf([{ path: '/srv/data', as: '/data' }], { device })).toEqual([
			...[work, tmp, bind('/srv/data', '/data'), bind('/srv/data/disk', '/data/disk')],
			...[bind('/srv/data/disk/in', '/data/disk/in'), hide('/data/p', true)],
		]);
	});

	it('with the network of the device, tells where names are asked, wherever the link leads', () => {
		const stub = { ...usual, links: { ...usual.links, '/etc/resolv.conf': '../run/stub/resolv.conf' } };
		const device = standInDevice({ ...stub, files: [...(usual.files ?? []), '/run/stub/resolv.conf'] });
		const shown = bind('/run/stub/resolv.conf', '/etc/resolv.conf', { isMandatory: false });
		expect(mountsOf([], { device }, { network: 'host' })).toContainEqual(shown);
		expect(mountsOf([{ path: '/etc' }], { device }, { network: 'host' })).toContainEqual({
			...shown,
			path: '/run/stub/resolv.conf',
		});
		expect(mountsOf([], { device })).toEqual([work, tmp]);
	});

	it.each([
		[{}, 'device'],
		[{ user: { uid: 5, gid: 5 } }, 'own'],
		[{ user: { uid: 5, gid: 5 }, isOwnUser: true }, 'own'],
	])('shows the processes of the device only where each job has a user of its own: %j', (more, processes) => {
		expect(deviceViewFor(partsOf({ showsProcesses: true }, more)).processes).toBe(processes);
	});
});

describe('what a view hides', () => {
	it('is the folder of the agent, and secrets of the device, in whatever is mounted and wherever', () => {
		expect(mountsOf([{ path: '/var', as: '/device/var' }, { path: '/etc' }, { path: '/run' }])).toEqual(
			[
				...[work, tmp, bind('/etc'), bind('/run'), bind('/var', '/device/var')],
				...[hide('/etc/shadow', false, false), hide('/run/user', true), hide('/run/docker.sock', false)],
				hide('/device/var/lib/agent', true, false),
			].sort((a, b) => (a.kind === 'hide' ? 1 : 0) - (b.kind === 'hide' ? 1 : 0)),
		);
	});

	it('is hidden at every place where the same folder is mounted', () => {
		const device = {
			...standInDevice(usual),
			mounts: [
				{ point: '/', device: '8:0', root: '/', type: 'ext4' },
				{ point: '/srv/data/again', device: '8:0', root: '/var/lib', type: 'ext4' },
			],
		};
		expect(mountsOf([{ path: '/srv/data' }], { device })).toContainEqual(hide('/srv/data/again/agent', false, true));
	});

	it('is what the profile masks', () => {
		const masks = ['/srv/data/sub', '/srv/data/a', '/nowhere'];
		expect(mountsOf([{ path: '/srv/data' }], {}, { masks })).toEqual([
			...[work, tmp, bind('/srv/data'), hide('/srv/data/sub', true), hide('/srv/data/a', false)],
		]);
	});

	it('covers the outer one when one lies in another', () => {
		expect(mountsOf([{ path: '/srv' }], {}, { masks: ['/srv/data/sub', '/srv/data'] })).toEqual([
			...[work, tmp, bind('/srv'), hide('/srv/data', true)],
		]);
	});
});

describe('a profile that cannot be used', () => {
	it.each<[string, Mounts, Partial<ViewParts>, object]>([
		['/nowhere does not exist', [{ path: '/nowhere' }], {}, {}],
		['/srv/pipe is neither a folder nor a file', [{ path: '/srv/pipe' }], {}, {}],
		['/run/docker.sock is neither', [{ path: '/run/docker.sock' }], {}, {}],
		['/ cannot be shown as a whole', [{ path: '/' }], {}, {}],
		['/ cannot be shown as a whole', [{ path: '/usr', as: '/' }], {}, {}],
		['/proc belongs to the jail itself', [{ path: '/proc' }], {}, {}],
		['/proc/sys cannot be shown', [{ path: '/proc/sys', as: '/x' }], {}, {}],
		['/dev/sda belongs', [{ path: '/dev/sda' }], {}, {}],
		['/opt/secure-code/init belongs', [{ path: '/usr/bin/ls', as: '/opt/secure-code/init' }], {}, {}],
		['/usr/../etc is not written in its shortest form', [{ path: '/usr/../etc' }], {}, {}],
		['/usr/ is not written', [{ path: '/usr/' }], {}, {}],
		[
			'/x is shown twice',
			[
				{ path: '/usr', as: '/x' },
				{ path: '/etc', as: '/x' },
			],
			{},
			{},
		],
		['/var/lib/agent stays hidden', [{ path: '/var/lib/agent' }], {}, {}],
		['/var/lib/agent/keys stays hidden', [{ path: '/var/lib/agent/keys' }], {}, {}],
		['/srv/data stays hidden', [{ path: '/srv/data' }], {}, { masks: ['/srv'] }],
		['/var cannot be writable, because something lies in it', [{ path: '/var', isWritable: true }], {}, {}],
		['/usr/lib/new', [{ path: '/usr' }, { path: '/etc', as: '/usr/lib/new' }], {}, {}],
		[
			'/x/y lies in the writable /x',
			[
				{ path: '/srv/data', as: '/x', isWritable: true },
				{ path: '/etc', as: '/x/y' },
			],
			{},
			{},
		],
		[
			'/home cannot be writable, because the home folder',
			[{ path: '/home', isWritable: true }],
			{ isOwnUser: true },
			{},
		],
		['/var holds what other jobs', [{ path: '/var' }], { user: { uid: 5, gid: 5 } }, {}],
		[
			'/srv/data/sub lies in a folder that jobs can change',
			[{ path: '/srv/data/sub' }],
			{ isOwnUser: true, writableSources: ['/srv/data'] },
			{},
		],
	])('says so: %s', (words, mounts, more, rest) => {
		expect(() => mountsOf(mounts, more, rest)).toThrow(expect.objectContaining({ code: 'PROFILE_UNUSABLE' }));
		expect(() => mountsOf(mounts, more, rest)).toThrow(words);
		expect(() => mountsOf(mounts, more, rest)).toThrow('the profile "shop"');
	});

	it('does not hold it against others where jobs run as other users', () => {
		expect(mountsOf([{ path: '/var' }])).toContainEqual(bind('/var'));
		expect(mountsOf([{ path: '/srv/data/sub' }], { writableSources: ['/srv/data'] })).toContainEqual(
			bind('/srv/data/sub'),
		);
	});
});
