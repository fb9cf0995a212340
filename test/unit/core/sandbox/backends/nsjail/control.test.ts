import { describe, expect, it } from 'vitest';
import { decodeWaitStatus, parseInitMessage } from '../../../../../../src/core/sandbox/backends/nsjail/control.ts';

describe('parseInitMessage', () => {
	it.each([
		['R', { kind: 'ready' }],
		['X 2', { kind: 'exec-failed', errno: 2 }],
		['J 13', { kind: 'join-failed', errno: 13 }],
		['N 98', { kind: 'network-failed', errno: 98 }],
		['C 0', { kind: 'collected', waitStatus: 0 }],
	])('reads %j', (line, message) => {
		expect(parseInitMessage(line)).toEqual(message);
	});

	it('reads how the program ended and what it used', () => {
		expect(parseInitMessage('S 256 14000 3500 9216 12 7')).toEqual({
			kind: 'ended',
			waitStatus: 256,
			cpuMs: 17.5,
			peakMemoryBytes: 9_437_184,
			stdoutBytes: 12,
			stderrBytes: 7,
		});
	});

	it.each(['', 'S', 'S x', 'X', 'C one', 'Q 1', 'r', ' R', 'S 1.5'])('does not understand %j', (line) => {
		expect(parseInitMessage(line)).toBeUndefined();
	});
});

describe('decodeWaitStatus', () => {
	it.each([
		[0, { code: 0, signal: null }],
		[1 << 8, { code: 1, signal: null }],
		[137 << 8, { code: 137, signal: null }],
		[255 << 8, { code: 255, signal: null }],
		[9, { code: null, signal: 'SIGKILL' }],
		[11, { code: null, signal: 'SIGSEGV' }],
		[6 | 0x80, { code: null, signal: 'SIGABRT' }],
		[29, { code: null, signal: 'SIGIO' }],
		[31, { code: null, signal: 'SIGSYS' }],
		[40, { code: null, signal: 'SIG40' }],
	])('reads %i', (status, end) => {
		expect(decodeWaitStatus(status)).toEqual(end);
	});
});
