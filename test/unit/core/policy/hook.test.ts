import { describe, expect, it } from 'vitest';
import type { PolicyDecision } from '../../../../src/contract/policy.ts';
import { needsHook, readHookAnswer, withHook } from '../../../../src/core/policy/hook.ts';

const allowed: PolicyDecision = {
	decision: 'allow',
	reasons: [{ rule: 'program/ls', class: 'program', decision: 'allow', why: 'ls may be run so' }],
	plan: { mode: 'argv', argv: ['ls'] },
	profile: 'jail',
	limits: {},
	isHighRisk: false,
	policyHash: 'h',
};
const asked: PolicyDecision = { ...allowed, decision: 'ask', isHighRisk: true };

describe('the hook', () => {
	it('makes a decision stricter', () => {
		expect(withHook(allowed, { decision: 'ask', why: 'it is late' })).toMatchObject({
			decision: 'ask',
			plan: allowed.plan,
			reasons: [{ rule: 'hook/answer', class: 'hook', decision: 'ask', why: 'it is late' }, allowed.reasons[0]],
		});
		expect(withHook(asked, { decision: 'deny', why: 'no' })).toMatchObject({
			decision: 'deny',
			plan: null,
			profile: null,
			isHighRisk: false,
		});
	});

	it('never makes one laxer', () => {
		const strict: PolicyDecision = {
			...asked,
			reasons: [{ rule: 'default', class: 'default', decision: 'ask', why: 'no rule' }],
		};
		expect(withHook(strict, { decision: 'allow', why: 'sure' }).decision).toBe('ask');
	});

	it('refuses when there is no answer', () => {
		const { decision, plan, reasons } = withHook(allowed, undefined);
		expect([decision, plan, reasons[0]?.rule]).toEqual(['deny', null, 'hook/no-answer']);
	});

	it('is not asked about what is denied anyway', () => {
		expect([allowed, asked, { ...allowed, decision: 'deny' as const }].map(needsHook)).toEqual([true, true, false]);
	});

	it.each([null, {}, { decision: 'yes' }, { decision: 'allow', more: 1 }, 'allow', []])(
		'does not take %j for an answer',
		(value) => {
			expect(readHookAnswer(value)).toBeUndefined();
		},
	);
});
