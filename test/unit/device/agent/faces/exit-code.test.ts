import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../../../src/device/agent/faces/exit-code.ts';

describe('exitCodeOf', () => {
	it.each([
		[{ status: 'succeeded', exitCode: 0, signal: null }, 0],
		[{ status: 'failed', exitCode: 3, signal: null }, 3],
		[{ status: 'killed', exitCode: null, signal: 'SIGSEGV' }, 139],
		[{ status: 'killed', exitCode: null, signal: 'SIGTERM' }, 143],
		[{ status: 'out_of_memory', exitCode: null, signal: 'SIGKILL' }, 137],
		[{ status: 'out_of_memory', exitCode: 1, signal: null }, 1],
		[{ status: 'output_exceeded', exitCode: null, signal: 'SIGKILL' }, 137],
		[{ status: 'output_exceeded', exitCode: null, signal: null }, 137],
		[{ status: 'timed_out', exitCode: null, signal: 'SIGKILL' }, 124],
		[{ status: 'cancelled', exitCode: null, signal: 'SIGKILL' }, 143],
		[{ status: 'denied', exitCode: null, signal: null }, 126],
		[{ status: 'broken', exitCode: null, signal: null }, 125],
	] as const)('of %j is %i', (result, exitCode) => {
		expect(exitCodeOf(result)).toBe(exitCode);
	});
});
