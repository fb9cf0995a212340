import { describe, expect, it } from 'vitest';
import { check } from '../../../../src/core/checker/check.ts';
import { checkOptionsSchema } from '../../../../src/core/checker/options.ts';
import { rules } from '../../../../src/core/checker/rules/rules.ts';

const examples = rules.filter((rule) => rule.language !== null);

describe.each(examples.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
	const language = rule.language ?? 'auto';

	it('objects to its own example, with its own severity', () => {
		const options = checkOptionsSchema.parse({ language, ...rule.denies.options });
		const severities = check(rule.denies.code, options).findings.filter((finding) => finding.ruleId === id);
		expect(severities.map((finding) => finding.severity)).toContain(rule.severity);
	});

	it('lets the near miss pass', () => {
		const options = checkOptionsSchema.parse({ language, ...rule.allows.options });
		expect(check(rule.allows.code, options).findings).toEqual([]);
	});
});
