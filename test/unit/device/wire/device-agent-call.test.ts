import { describe, expect, it } from 'vitest';
import type { DeviceAgentKind } from '../../../../src/device/wire/device-agent.ts';
import {
	type DeviceAgentCall,
	decodeDeviceAgentCall,
	encodeDeviceAgentArgs,
} from '../../../../src/device/wire/device-agent-call.ts';

const calls: readonly (readonly [DeviceAgentCall, readonly string[]])[] = [
	[{ kind: 'shell.exec', argv: ['ls', '-la', 'é 😀', ''] }, ['ls', '-la', 'é 😀', '']],
	[{ kind: 'shell.eval', cmd: 'git status', cwd: '/repo', shell: 'auto' }, ['{"cmd":"git status","cwd":"/repo"}']],
	[{ kind: 'shell.eval', cmd: '{ id; }', cwd: null, shell: 'bash' }, ['{"cmd":"{ id; }","cwd":"","shell":"bash"}']],
	[{ kind: 'docker.container.list', isAll: false }, []],
	[{ kind: 'docker.container.list', isAll: true }, ['--all']],
	[{ kind: 'docker.container.logs', container: 'web-1', lines: null }, ['web-1']],
	[{ kind: 'docker.container.logs', container: 'web-1', lines: 50 }, ['web-1', '50']],
	[{ kind: 'docker.container.exec', container: 'a1b2', argv: ['ps', 'aux'] }, ['a1b2', 'ps', 'aux']],
	[{ kind: 'fs.read', path: '/etc/hosts', offset: 0, limit: null }, ['/etc/hosts', '0']],
	[{ kind: 'fs.read', path: '/etc/hosts', offset: 5, limit: 10 }, ['/etc/hosts', '5', '10']],
];

describe('a call of device_agent', () => {
	it.each(calls)('%j comes out as it went in', (call, args) => {
		expect(encodeDeviceAgentArgs(call)).toEqual(args);
		expect(decodeDeviceAgentCall(call.kind, args)).toEqual({ call });
	});

	const script = (cmd: string, cwd: string | null, shell: string) => ({
		call: { kind: 'shell.eval', cmd, cwd, shell },
	});

	it.each([
		[['git status', '/repo', 'bash'], script('git status', '/repo', 'bash')],
		[['git status', '/repo'], script('git status', '/repo', 'auto')],
		[['git status', '', ''], script('git status', null, 'auto')],
		[['git status'], script('git status', null, 'auto')],
		[['{ id; }'], script('{ id; }', null, 'auto')],
		[['{"cmd":"dir"}', '', 'powershell.exe'], script('{"cmd":"dir"}', null, 'powershell')],
		[['{"cmd":"dir","shell":"powershell"}'], script('dir', null, 'powershell')],
		[['{"cmd":"id","cwd":null,"shell":null}'], script('id', null, 'auto')],
		[['{"cmd":"id","env":{}}'], script('id', null, 'auto')],
		[['{ ls; }'], script('{ ls; }', null, 'auto')],
		[['{ "ls" -l; }'], script('{ "ls" -l; }', null, 'auto')],
	])('reads the arguments %j of shell.eval', (args, reading) => {
		expect(decodeDeviceAgentCall('shell.eval', args)).toEqual(reading);
	});

	it('says only what the protocol knows where it is signed', () => {
		expect(decodeDeviceAgentCall('shell.eval', ['{"cmd":"id","env":{}}'], 'signed')).toEqual({
			details: expect.stringContaining('Unrecognized key'),
		});
	});

	it('reads a whole file unless it is told where to begin', () => {
		const call = { kind: 'fs.read', path: '/etc/hosts', offset: 0, limit: null };
		expect(decodeDeviceAgentCall('fs.read', ['/etc/hosts'])).toEqual({ call });
	});

	it.each([
		['shell.exec', []],
		['shell.exec', ['ls', 'a\0b']],
		['shell.eval', []],
		['shell.eval', ['']],
		['shell.eval', ['id', '', 'bash', 'x']],
		['shell.eval', ['id', '', 'zsh']],
		['shell.eval', ['id', '', '__proto__']],
		['shell.eval', ['{}']],
		['shell.eval', ['{"cmd":"id","cmd":"ls"}']],
		['shell.eval', ['{"cmd":["id"]}']],
		['shell.eval', ['{"cmd":"id"']],
		['shell.eval', ['{"cmd":"id",}']],
		['shell.eval', [' {\n"cmd": id}']],
		['shell.eval', ['{"cmd":"a\\u0000b"}']],
		['docker.container.list', ['-a', '--no-trunc']],
		['docker.container.list', ['--filter=x']],
		['docker.container.logs', []],
		['docker.container.logs', ['-f']],
		['docker.container.logs', ['a/b']],
		['docker.container.logs', ['web', '-1']],
		['docker.container.logs', ['web', '999999999']],
		['docker.container.exec', ['web']],
		['docker.container.exec', ['--privileged', 'id']],
		['fs.read', []],
		['fs.read', ['etc/hosts']],
		['fs.read', ['-n']],
		['fs.read', ['/a\0b']],
		['fs.read', ['/etc/hosts', 'x']],
		['fs.read', ['/etc/hosts', '0', '1', '2']],
	] as [DeviceAgentKind, string[]][])('%s does not take %j', (kind, args) => {
		expect(decodeDeviceAgentCall(kind, args)).toEqual({ details: expect.stringMatching(/^args: ./) });
	});
});
