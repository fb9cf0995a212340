import { expect, it } from 'vitest';
import { problemFor } from '../../../../src/contract/error.ts';
import type { Finding } from '../../../../src/contract/finding.ts';
import { withoutRun } from '../../../../src/core/result.ts';
import { maskResult } from '../../../../src/core/secrets/mask-result.ts';
import { createMask } from '../../../../src/core/secrets/redact.ts';

const value = 'hunter2-hunter3';

const finding: Finding = {
	ruleId: 'PY-EXEC',
	cwe: null,
	severity: 'block',
	line: 1,
	column: 1,
	endLine: 1,
	endColumn: 9,
	source: `exec("${value}")`,
	found: `exec("${value}")`,
	resolved: `exec("${value}")`,
	message: `"${value}" is run as a program.`,
	fix: `print("${value}")`,
};

it('hides values in every word of a result', () => {
	const problem = problemFor('CHECKER_FORBIDDEN', { details: `Line 1: exec("${value}")` });
	const result = { ...withoutRun('denied', problem, { findings: [finding] }), stdout: value, stderr: `at ${value}` };
	const masked = maskResult(result, createMask({ KEY: value }));
	expect(JSON.stringify(masked)).not.toContain(value);
	expect(masked).toEqual(JSON.parse(JSON.stringify(result).replaceAll(value, '•••KEY•••')));
});
