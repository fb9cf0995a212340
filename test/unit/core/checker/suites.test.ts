import { describe, expect, it } from 'vitest';
import { check } from '../../../../src/core/checker/check.ts';
import { checkOptionsSchema } from '../../../../src/core/checker/options.ts';
import { bashEvasions } from '../../../fixtures/checker/bash.evasions.ts';
import { bashOrdinary } from '../../../fixtures/checker/bash.ordinary.ts';
import { javaScriptEvasions } from '../../../fixtures/checker/javascript.evasions.ts';
import { javaScriptOrdinary } from '../../../fixtures/checker/javascript.ordinary.ts';
import { pythonEvasions } from '../../../fixtures/checker/python.evasions.ts';
import { pythonOrdinary } from '../../../fixtures/checker/python.ordinary.ts';

const suites = [
	{ language: 'python', evasions: pythonEvasions, ordinary: pythonOrdinary },
	{ language: 'javascript', evasions: javaScriptEvasions, ordinary: javaScriptOrdinary },
	{ language: 'bash', evasions: bashEvasions, ordinary: bashOrdinary },
] as const;

describe.each(suites)('in $language', ({ language, evasions, ordinary }) => {
	it('the suites are as large as promised', () => {
		expect({ evasions: evasions.length >= 100, ordinary: ordinary.length >= 60 }).toEqual({
			evasions: true,
			ordinary: true,
		});
	});

	it.each(evasions.map((sample) => [`${sample.rule}: ${sample.title}`, sample] as const))(
		'sees through %s',
		(_, { code, rule }) => {
			const found = check(code, checkOptionsSchema.parse({ language })).findings.map((finding) => finding.ruleId);
			expect(found).toContain(rule);
		},
	);

	it.each(ordinary.map((sample) => [sample.title, sample] as const))('recognises and lets pass %s', (_, { code }) => {
		const report = check(code, checkOptionsSchema.parse({}));
		expect({ language: report.language, findings: report.findings }).toEqual({ language, findings: [] });
	});
});
