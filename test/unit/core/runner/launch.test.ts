import { describe, expect, it } from 'vitest';
import { NoProgram, notFound, startFor, usualShell } from '../../../../src/core/runner/launch.ts';

const find = (name: string) => (name === 'missing' ? undefined : `/usr/bin/${name}`);

describe('startFor', () => {
	it('finds the program and leaves the words alone', () => {
		expect(startFor({ mode: 'argv', argv: ['ls', '-la', '$(id)'] }, '/s', find, 'linux')).toEqual({
			argv: ['/usr/bin/ls', '-la', '$(id)'],
			script: undefined,
		});
	});

	it.each([
		['bash', 'linux', ['/usr/bin/bash', '--noprofile', '--norc', '/s'], 'echo'],
		['sh', 'linux', ['/usr/bin/sh', '/s'], 'echo'],
		['powershell', 'linux', ['/usr/bin/pwsh', '-NoProfile', '-NonInteractive', '-Command', 'echo'], undefined],
		[
			'powershell',
			'win32',
			['/usr/bin/powershell.exe', '-NoProfile', '-NonInteractive', '-Command', 'echo'],
			undefined,
		],
	] as const)('starts %s on %s', (shell, platform, argv, script) => {
		expect(startFor({ mode: 'script', script: 'echo', shell }, '/s', find, platform)).toEqual({ argv, script });
	});

	it('says which program or which shell is not there', () => {
		expect(() => startFor({ mode: 'argv', argv: ['missing'] }, '/s', find)).toThrow(new NoProgram('missing'));
		const nothing = () => undefined;
		expect(() => startFor({ mode: 'script', script: 'x', shell: 'bash' }, '/s', nothing)).toThrow('Bash was not found');
		expect(() => startFor({ mode: 'script', script: 'x', shell: 'powershell' }, '/s', nothing)).toThrow('PowerShell');
	});
});

describe('notFound', () => {
	it('ends as a shell would', () => {
		const heard: unknown[] = [];
		const io = {
			stdin: undefined,
			signal: AbortSignal.abort(),
			onStart: () => heard.push('start'),
			onOutput: (stream: string, chunk: Buffer) => void heard.push([stream, chunk.toString()]),
		};
		expect(notFound(new NoProgram('x'), io, { backend: 'nsjail', tier: 'full' })).toMatchObject({
			exit: { code: 127, signal: null },
			stopped: null,
			fault: null,
			isConfirmedDead: true,
			backend: 'nsjail',
		});
		expect(heard).toEqual(['start', ['stderr', 'x: command not found\n']]);
	});
});

describe('usualShell', () => {
	it('is what people of the system expect', () => {
		expect([usualShell('linux'), usualShell('darwin'), usualShell('win32')]).toEqual(['bash', 'bash', 'powershell']);
	});
});
