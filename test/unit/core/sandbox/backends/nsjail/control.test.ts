import { describe, expect, it } from 'vitest';
import { KnownError } from '../../../../../../src/contract/error.ts';
import {
	decodeWaitStatus,
	jobMessage,
	parseInitMessage,
} from '../../../../../../src/core/sandbox/backends/nsjail/control.ts';

describe('parseInitMessage', () => {
	it.each([
		['R', { kind: 'ready' }],
		['W', { kind: 'waits' }],
		['B', { kind: 'begins' }],
		['E', { kind: 'nothing-to-collect' }],
		['L 1', { kind: 'limit-failed', errno: 1 }],
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

	it.each(['', 'S', 'S x', 'X', 'C one', 'L', 'L x', 'w', 'e', 'G 0 0 0 0 0', 'Q 1', 'r', ' R', 'S 1.5'])(
		'does not understand %j',
		(line) => {
			expect(parseInitMessage(line)).toBeUndefined();
		},
	);
});

describe('jobMessage', () => {
	it('is a line of numbers and the whole environment, each variable with a NUL at its end', () => {
		expect(jobMessage({ PATH: '/bin', GREETING: 'say "hí"\n', EMPTY: '' }).toString()).toBe(
			'G 0 0 0 0 37\nPATH=/bin\0GREETING=say "hí"\n\0EMPTY=\0',
		);
	});

	it('names the limits of a program that runs already, and 0 for those that stay as they are', () => {
		const limits = { openFiles: 256, fileBytes: 67_108_864, processes: 65, addressSpaceBytes: 536_870_912 };
		expect(jobMessage({}, limits).toString()).toBe('G 256 67108864 65 536870912 0\n');
		const some = { openFiles: 16, fileBytes: 1_048_576, processes: undefined, addressSpaceBytes: undefined };
		expect(jobMessage({}, some).toString()).toBe('G 16 1048576 0 0 0\n');
	});

	it('cannot be made to hold a variable more than it was given', () => {
		const refusal = new KnownError('JOB_INVALID', { details: 'the variable A holds a NUL' });
		expect(() => jobMessage({ A: 'b\0LD_PRELOAD=/work/evil.so' })).toThrow(refusal);
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
