import { afterEach, describe, expect, it, vi } from 'vitest';
import { problemFor } from '../../../src/contract/error.ts';
import type { Finding } from '../../../src/contract/finding.ts';
import { limits } from '../../../src/contract/limits.ts';
import { check } from '../../../src/core/checker/check.ts';
import { checkOptionsFor, inspect } from '../../../src/core/inspect.ts';
import { withoutRun } from '../../../src/core/result.ts';
import { request } from '../../helpers/box.ts';

vi.mock('../../../src/core/checker/check.ts', () => ({ check: vi.fn() }));
vi.mock('../../../src/core/checker/describe.ts', () => ({ describeFindings: () => 'Line 1: no.' }));

const finding: Finding = {
	ruleId: 'PY-TEST',
	cwe: null,
	severity: 'block',
	line: 1,
	column: 1,
	endLine: 1,
	endColumn: 2,
	source: 'x',
	found: 'x',
	resolved: null,
	message: 'no',
	fix: 'y',
};

const answer = (verdict: 'clean' | 'suspicious' | 'forbidden', findings: Finding[] = []) =>
	vi.mocked(check).mockReturnValue({
		language: 'python',
		dialect: 'javascript',
		guessed: false,
		confidence: 1,
		verdict,
		findings,
		omitted: 0,
	});

afterEach(() => vi.clearAllMocks());

describe('inspect', () => {
	it('lets clean code pass', () => {
		answer('clean');
		expect(inspect(request({ code: 'print(1)' }))).toEqual({
			language: 'python',
			dialect: 'javascript',
			code: 'print(1)',
			findings: [],
		});
	});

	it('lets suspicious code pass with its findings', () => {
		const warning: Finding = { ...finding, severity: 'warn' };
		answer('suspicious', [warning]);
		expect(inspect(request({ code: 'x' }))).toMatchObject({ code: 'x', findings: [warning] });
	});

	it('refuses forbidden code with all findings, in words for the model', () => {
		answer('forbidden', [finding]);
		const problem = problemFor('CHECKER_FORBIDDEN', { details: 'Line 1: no.' });
		expect(inspect(request({ code: 'x' }))).toEqual({
			refused: withoutRun('denied', problem, { language: 'python', findings: [finding] }),
		});
	});

	it('asks no checker when the check is off, and keeps the language that was named', () => {
		expect(inspect(request({ code: 'x', check: false, language: 'bash' }))).toEqual({
			language: 'bash',
			dialect: 'javascript',
			code: 'x',
			findings: [],
		});
		expect(check).not.toHaveBeenCalled();
	});

	it('takes a command as it is, in no language', () => {
		const inspected = inspect(request({ argv: ['ls'] }));
		expect(inspected).toEqual({ language: null, dialect: 'javascript', code: '', findings: [] });
		expect(check).not.toHaveBeenCalled();
	});

	it.each([true, false])('refuses code that is too long, whether the check is on: %s', (isChecked) => {
		const limit = limits.codeCharacters.floor;
		const job = request({ code: 'x'.repeat(limit + 1), check: isChecked, limits: { codeCharacters: limit } });
		expect(inspect(job)).toEqual({
			refused: withoutRun('denied', problemFor('LIMIT_CODE', { found: limit + 1, limit })),
		});
		expect(check).not.toHaveBeenCalled();
	});

	it('counts characters as people do, not UTF-16 units', () => {
		answer('clean');
		const limit = limits.codeCharacters.floor;
		const job = request({ code: '🎉'.repeat(limit), limits: { codeCharacters: limit } });
		expect(inspect(job)).not.toHaveProperty('refused');
	});
});

describe('checkOptionsFor', () => {
	it('tells the checker what the job is and may do', () => {
		const job = request({ code: '', language: 'python', network: ['a.com'], allowedImports: ['math'] });
		expect(checkOptionsFor(job)).toMatchObject({
			language: 'python',
			network: ['a.com'],
			allowedImports: ['math'],
			maxCodeLength: limits.codeCharacters.default,
			warnOnly: false,
		});
	});

	it('reads a script as Bash, whatever language was named', () => {
		expect(checkOptionsFor(request({ script: 'ls', language: 'python' })).language).toBe('bash');
	});

	it('keeps "no list" apart from "an empty list"', () => {
		const lists = [request({ code: '' }), request({ code: '', allowedImports: [] })];
		expect(lists.map((job) => checkOptionsFor(job).allowedImports)).toEqual([undefined, []]);
	});
});
