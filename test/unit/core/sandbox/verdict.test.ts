import { describe, expect, it } from 'vitest';
import { type ErrorCode, problemFor } from '../../../../src/contract/error.ts';
import { defaultLimits } from '../../../../src/contract/limits.ts';
import type { BoxOutcome } from '../../../../src/core/sandbox/backend.ts';
import { type Circumstances, type Verdict, verdictFor } from '../../../../src/core/sandbox/verdict.ts';
import { goodOutcome } from '../../../helpers/box.ts';

const python: Circumstances = { language: 'python', limits: defaultLimits, stderr: '' };

const judge = (outcome: Partial<BoxOutcome>, circumstances: Partial<Circumstances> = {}): Verdict =>
	verdictFor({ ...goodOutcome, ...outcome }, { ...python, ...circumstances });

const ended = (code: number) => ({ exit: { code, signal: null } });
const signalled = (signal: string) => ({ exit: { code: null, signal } });

/** What each sentence says with the default limits. */
const shown: Partial<Record<ErrorCode, number>> = {
	LIMIT_TIME: 30,
	LIMIT_MEMORY: 128,
	LIMIT_OUTPUT: 10,
	LIMIT_PROCESSES: 64,
	LIMIT_OPEN_FILES: 256,
	LIMIT_FILE_SIZE: 64,
	LIMIT_DISK: 64,
};
const limitProblem = (code: ErrorCode) => problemFor(code, { limit: shown[code] ?? 0 });

describe('a program that ended by itself', () => {
	it('succeeded with 0', () => {
		expect(judge(ended(0))).toEqual({ status: 'succeeded', exitCode: 0, signal: null, problem: null });
	});

	it.each([1, 2, 77, 124, 127, 128, 137, 143, 255])('failed with %i, which says nothing about why', (code) => {
		expect(judge(ended(code))).toEqual({ status: 'failed', exitCode: code, signal: null, problem: null });
	});

	it('succeeded with 0 even if a child was killed for memory or a limit was touched', () => {
		expect(judge({ ...ended(0), oomKills: 1, processLimitHits: 3 }, { stderr: 'ENOSPC' })).toEqual({
			status: 'succeeded',
			exitCode: 0,
			signal: null,
			problem: null,
		});
	});
});

describe('a program that we ended', () => {
	it.each([
		['timeout', 'timed_out', limitProblem('LIMIT_TIME')],
		['memory', 'out_of_memory', limitProblem('LIMIT_MEMORY')],
		['output', 'output_exceeded', limitProblem('LIMIT_OUTPUT')],
		['cancelled', 'cancelled', problemFor('JOB_CANCELLED')],
	] as const)('for %s is %s', (stopped, status, problem) => {
		const expected = { status, exitCode: null, signal: 'SIGKILL', problem };
		expect(judge({ stopped, exit: null })).toEqual(expected);
	});

	it('keeps our reason, although the kernel also counted a kill for memory', () => {
		expect(judge({ stopped: 'timeout', exit: null, oomKills: 1 }).status).toBe('timed_out');
	});
});

describe('a sandbox that failed', () => {
	it('is broken, whatever else was seen', () => {
		const outcome = { fault: 'no mounts', stopped: 'timeout', oomKills: 1 } as const;
		expect(judge(outcome)).toEqual({
			status: 'broken',
			exitCode: null,
			signal: null,
			problem: problemFor('SANDBOX_BROKEN', { details: 'no mounts' }),
		});
	});
});

describe('memory', () => {
	it('ran out when the kernel killed the program', () => {
		expect(judge({ ...signalled('SIGKILL'), oomKills: 1 })).toEqual({
			status: 'out_of_memory',
			exitCode: null,
			signal: 'SIGKILL',
			problem: limitProblem('LIMIT_MEMORY'),
		});
	});

	it('ran out when the kernel killed the whole jail, so that nobody reported an end', () => {
		const verdict = judge({ exit: null, oomKills: 1 });
		expect([verdict.status, verdict.signal]).toEqual(['out_of_memory', 'SIGKILL']);
	});

	it('ran out when the kernel killed a child and the program failed after it', () => {
		expect(judge({ ...ended(1), oomKills: 1 })).toEqual({
			status: 'out_of_memory',
			exitCode: 1,
			signal: null,
			problem: limitProblem('LIMIT_MEMORY'),
		});
	});

	const nearLimit = { ...signalled('SIGABRT'), peakMemoryBytes: defaultLimits.memoryBytes / 2 };

	it("ran out when V8's heap was full, which it says by aborting", () => {
		expect(judge(nearLimit, { language: 'javascript' }).status).toBe('out_of_memory');
	});

	it('did not run out when a program aborts far below the limit, or in another language', () => {
		const far = { ...nearLimit, peakMemoryBytes: defaultLimits.memoryBytes / 2 - 1 };
		const statuses = [judge(far, { language: 'javascript' }), judge(nearLimit)].map(({ status }) => status);
		expect(statuses).toEqual(['killed', 'killed']);
	});
});

describe('a program ended by a signal', () => {
	it('was killed, and the sandbox did not do it', () => {
		expect(judge(signalled('SIGSEGV'))).toEqual({
			status: 'killed',
			exitCode: null,
			signal: 'SIGSEGV',
			problem: problemFor('PROGRAM_SIGNALLED', { signal: 'SIGSEGV' }),
		});
	});

	it('wrote too large a file when the signal says so', () => {
		expect(judge(signalled('SIGXFSZ')).problem).toEqual(limitProblem('LIMIT_FILE_SIZE'));
	});
});

describe('the hint for a failing program', () => {
	it.each([
		['LIMIT_DISK', 'OSError: [Errno 28] No space left on device'],
		['LIMIT_DISK', 'Error: ENOSPC: no space left on device, write'],
		['LIMIT_FILE_SIZE', 'OSError: [Errno 27] File too large'],
		['LIMIT_FILE_SIZE', 'Error: EFBIG: file too large'],
		['LIMIT_OPEN_FILES', 'OSError: [Errno 24] Too many open files'],
		['LIMIT_OPEN_FILES', 'Error: EMFILE: too many open files'],
		['LIMIT_PROCESSES', 'bash: fork: retry: Resource temporarily unavailable'],
		['LIMIT_PROCESSES', "RuntimeError: can't start new thread"],
		['LIMIT_PROCESSES', 'Error: spawn EAGAIN'],
	] as const)('is %s for %j', (code, stderr) => {
		expect(judge(ended(1), { stderr }).problem).toEqual(limitProblem(code));
	});

	it('trusts the kernel before the text', () => {
		const outcome = { ...ended(1), processLimitHits: 1 };
		expect(judge(outcome, { stderr: 'ENOSPC' }).problem).toEqual(limitProblem('LIMIT_PROCESSES'));
	});

	it('looks at the end of stderr only', () => {
		expect(judge(ended(1), { stderr: `ENOSPC${' '.repeat(4096)}` }).problem).toBeNull();
	});

	it('never changes the status', () => {
		expect(judge(ended(1), { stderr: 'Killed\nENOSPC' }).status).toBe('failed');
	});

	it('also helps after a signal', () => {
		expect(judge(signalled('SIGABRT'), { stderr: 'EMFILE' }).problem).toEqual(limitProblem('LIMIT_OPEN_FILES'));
	});
});
