import { describe, expect, it } from 'vitest';
import { parseKeeperMessage } from '../../../../src/core/runner/keeper-message.ts';

describe('parseKeeperMessage', () => {
	it.each([
		['R', { kind: 'ready' }],
		['U 1', { kind: 'no-user', errno: 1 }],
		['D 2', { kind: 'no-folder', errno: 2 }],
		['X 13', { kind: 'no-program', errno: 13 }],
		[
			'S 256 1000 2000 10 0 0',
			{ kind: 'ended', waitStatus: 256, cpuMs: 3, peakMemoryBytes: 10_240, stdoutBytes: 0, stderrBytes: 0 },
		],
		['J 1', undefined],
		['C 0', undefined],
		['U', undefined],
		['X -1', undefined],
		['', undefined],
		['hello', undefined],
	])('reads %j', (line, message) => {
		expect(parseKeeperMessage(line)).toEqual(message);
	});
});
