import { describe, expect, it, vi } from 'vitest';
import { KnownError, knownErrors, problemFor } from '../../../src/contract/error.ts';

describe('problemFor', () => {
	it('fills the sentences from the context', () => {
		expect(problemFor('LIMIT_TIME', { limit: 30 })).toEqual({
			code: 'LIMIT_TIME',
			message: 'The program was killed at its time limit of 30 s; all its processes are gone.',
			next: knownErrors.LIMIT_TIME.next,
		});
	});

	it('fills the advice, too', () => {
		expect(problemFor('JOB_UNSUPPORTED', { field: 'session', details: 'none are kept' }).next).toBe(
			'Call again without "session".',
		);
	});

	it('takes a value as it is, whatever it holds', () => {
		const details = '$& {limit} {details}';
		expect(problemFor('USAGE', { details }).message).toBe(details);
	});

	it('leaves a gap visible that the context does not fill', () => {
		expect(problemFor('QUEUE_FULL').message).toBe(
			'Nothing was run: {waiting} jobs are already waiting for the sandbox.',
		);
	});
});

describe('KnownError', () => {
	it('carries its row, its problem and its cause', () => {
		const cause = new Error('below');
		const error = new KnownError('RUNTIME_MISSING', { language: 'Python' }, { cause });
		const problem = problemFor('RUNTIME_MISSING', { language: 'Python' });
		const { name, message, code, row } = error;
		expect({ name, message, code, row, problem: error.problem, cause: error.cause }).toEqual({
			name: 'KnownError',
			message: problem.message,
			code: 'RUNTIME_MISSING',
			row: knownErrors.RUNTIME_MISSING,
			problem,
			cause,
		});
	});

	it('is recognised across two copies of the package', async () => {
		vi.resetModules();
		const copy = await import('../../../src/contract/error.ts');
		const foreign = new copy.KnownError('PERMISSION', { details: 'no' });
		expect([foreign instanceof KnownError, KnownError.is(foreign)]).toEqual([false, true]);
	});

	it.each([new Error('other'), { code: 'USAGE', problem: {} }, null, undefined, 'USAGE'])(
		'does not claim %s',
		(other) => {
			expect(KnownError.is(other)).toBe(false);
		},
	);
});
