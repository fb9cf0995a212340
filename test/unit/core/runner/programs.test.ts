import { describe, expect, it } from 'vitest';
import { onDevice, programIn } from '../../../../src/core/runner/programs.ts';
import type { DeviceView } from '../../../../src/core/sandbox/backend.ts';
import { standInDevice } from '../../../helpers/device.ts';

const device = standInDevice({
	links: {
		'/usr/bin/awk': '/etc/alternatives/awk',
		'/etc/alternatives/awk': '/usr/bin/mawk',
		'/usr/bin/vi': '/etc/alternatives/vi',
		'/usr/bin/loop': 'loop',
		'/usr/bin/out': '../../../../usr/bin/ls',
	},
	files: ['/usr/bin/ls', '/usr/bin/mawk', '/usr/bin/notes.txt', '/usr/bin/secret', '/srv/tools/ls', '/usr/bin/sub/x'],
});

const view: DeviceView = {
	mounts: [
		{ kind: 'memory', path: '/work', bytes: 1, mode: '0700' },
		{ kind: 'link', path: '/bin', target: 'usr/bin' },
		{ kind: 'bind', hostPath: '/usr', path: '/usr', isWritable: false, isMandatory: true },
		{ kind: 'bind', hostPath: '/etc/alternatives', path: '/etc/alternatives', isWritable: false, isMandatory: true },
		{ kind: 'bind', hostPath: '/srv/tools', path: '/tools', isWritable: false, isMandatory: true },
		{ kind: 'hide', path: '/usr/bin/secret', isFolder: false, isMandatory: true },
	],
	cwd: '/tools',
	user: null,
	hostName: 'x',
	network: 'none',
	processes: 'own',
};

describe('programIn', () => {
	it.each([
		['ls', ['/nowhere', '/bin', '/tools'], '/bin/ls'],
		['ls', ['/tools', '/bin'], '/tools/ls'],
		['awk', ['/usr/bin'], '/usr/bin/awk'],
		['out', ['/usr/bin'], '/usr/bin/out'],
		['/usr/bin/ls', [], '/usr/bin/ls'],
		['./ls', [], '/tools/ls'],
		['../usr/bin/ls', [], '/usr/bin/ls'],
	])('finds %s on %j', (name, folders, found) => {
		expect(programIn(view, device, name, folders)).toBe(found);
	});

	it.each([
		['a program that is not shown', '/srv/tools/ls'],
		['a link that leads nowhere', 'vi'],
		['a link to itself', 'loop'],
		['what is covered', 'secret'],
		['a folder', 'sub'],
		['what cannot be executed', 'notes.txt'],
		['nothing', ''],
		['a folder of the path', '.'],
	])('does not find %s', (_name, name) => {
		expect(programIn(view, device, name, ['/usr/bin'])).toBeUndefined();
	});
});

describe('onDevice', () => {
	it.each([
		['/tools/ls', '/srv/tools/ls'],
		['/usr/bin', '/usr/bin'],
		['/usr/bin/secret', undefined],
		['/work/x', undefined],
		['/etc/passwd', undefined],
	])('says where %s lies', (path, source) => {
		expect(onDevice(view, path)).toBe(source);
	});
});
