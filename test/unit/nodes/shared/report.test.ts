import { describe, expect, it } from 'vitest';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import type { NodeResult } from '../../../../nodes/shared/deliver-files.ts';
import { hintFor, logJob } from '../../../../nodes/shared/report.ts';
import type { Finding } from '../../../../src/contract/finding.ts';
import { fakeContext, succeeded } from '../../../helpers/n8n.ts';

const finding: Finding = {
	ruleId: 'PY-EXEC',
	cwe: 'CWE-78',
	severity: 'block',
	line: 1,
	column: 1,
	endLine: 1,
	endColumn: 9,
	source: 'os.system("rm")',
	found: 'os.system',
	resolved: null,
	message: 'Starts a program.',
	fix: 'Do it in Python.',
};

const timedOut: NodeResult = {
	...succeeded,
	status: 'timed_out',
	exitCode: null,
	durationMs: 1_000,
	problem: { code: 'LIMIT_TIME', message: 'Killed at its time limit of 1 s.', next: 'Be quick.' },
};

const denied: NodeResult = {
	...timedOut,
	status: 'denied',
	durationMs: 0,
	peakMemoryBytes: 0,
	findings: [finding, finding],
	problem: { code: 'CHECKER_FORBIDDEN', message: 'os.system("rm")', next: 'Fix it.' },
};

describe('hintFor', () => {
	it.each([
		['a success', [succeeded], 'succeeded: Python, exit code 0, 21 ms, 9 MB.', 'info'],
		['a limit', [timedOut], 'timed_out: Python, 1000 ms, 9 MB. Killed at its time limit of 1 s.', 'warning'],
		['a refusal', [denied], 'denied: nothing was run. Findings: PY-EXEC.', 'warning'],
		['many items', [succeeded, succeeded], '2 programs in 43 ms: 2 succeeded.', 'info'],
		[
			'mixed items',
			[succeeded, timedOut, denied],
			'3 programs in 1021 ms: 1 succeeded, 1 timed_out, 1 denied. Findings: PY-EXEC.',
			'warning',
		],
	])('tells of %s in one sentence without code or output', (_what, results, message, type) => {
		expect(hintFor(results)).toEqual({ message, type, location: 'outputPane' });
	});
});

describe('logJob', () => {
	it('logs how a job ended and nothing it contained', () => {
		const { context, logs } = fakeContext({ properties: toolParameters });
		logJob(context, { ...denied, stdout: 'output', stderr: 'output' });
		expect(logs).toEqual([
			{
				level: 'info',
				message: 'Secure Code: denied',
				data: {
					status: 'denied',
					exitCode: null,
					durationMs: 0,
					language: 'python',
					problem: 'CHECKER_FORBIDDEN',
					findings: ['PY-EXEC'],
				},
			},
		]);
	});
});
