/** Whatever is asked, the policy answers; what it lets run is judged the same when it is asked again; junk is never allowed. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Command } from '../../../../src/contract/device-job.ts';
import { type PolicyDecision, policyDecisionSchema } from '../../../../src/contract/policy.ts';
import { decide } from '../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';
import type { Policy } from '../../../../src/core/policy/policy.ts';

const names = ['read-only', 'developer', 'strict'] as const;
const policies = Object.fromEntries(
	names.map((name) => [name, loadPolicy(readFileSync(`policies/${name}.yaml`, 'utf8'))]),
) as Record<(typeof names)[number], Policy>;
const readOnly = policies['read-only'];

const ask = (command: Command, capability = 'shell.run', policy = readOnly): PolicyDecision =>
	decide(policy, {
		principal: { roles: ['executor'], capabilities: ['*'] },
		capability,
		command,
		env: {},
		deviceId: 'device',
	});
const script = (text: string): Command => ({ mode: 'script', script: text, shell: 'bash' });

const corpus = (name: string): string[] => parse(readFileSync(`test/fixtures/policy/${name}.yaml`, 'utf8')).map(String);
const pieces = [...corpus('ordinary'), ...corpus('attacks')].flatMap((one) => one.split(/(\s+|[;|&<>(){}'"$`]+)/));
const tokens = [...new Set(pieces)].filter((piece) => piece !== '');

/** Words and signs that mean something, in any order. */
const shellish = fc.array(fc.constantFrom(...tokens), { maxLength: 14 }).map((words) => words.join(''));
/** Ordinary scripts with something in the middle. */
const mangled = fc
	.tuple(fc.constantFrom(...corpus('ordinary')), fc.nat(200), fc.constantFrom(...tokens))
	.map(([text, at, token]) => `${text.slice(0, at)}${token}${text.slice(at)}`);
const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), shellish, mangled);

const runs = { numRuns: 1500 };

/** What an allowed decision lets run, asked once more. */
function expectStable(decision: PolicyDecision, policy: Policy, capability: string): void {
	const { plan } = decision;
	if (decision.decision !== 'allow' || plan === null) return;
	const again = ask(plan, capability, policy);
	expect([again.decision, again.plan]).toEqual(['allow', plan]);
}

describe('the policy', () => {
	it('answers whatever script comes, and what it lets run it would let run again', () => {
		fc.assert(
			fc.property(anything, fc.constantFrom(...names), (text, name) => {
				const policy = policies[name];
				const decision = ask(script(text), 'shell.run', policy);
				expect(policyDecisionSchema.parse(decision)).toEqual(decision);
				expectStable(decision, policy, 'shell.run');
			}),
			runs,
		);
	});

	it('answers whatever words come', () => {
		fc.assert(
			fc.property(fc.array(fc.oneof(anything, fc.constantFrom(...tokens)), { minLength: 1, maxLength: 8 }), (argv) => {
				const decision = ask({ mode: 'argv', argv });
				expect(policyDecisionSchema.parse(decision)).toEqual(decision);
				expectStable(decision, readOnly, 'shell.run');
			}),
			runs,
		);
	});

	it('answers whatever PowerShell comes, and runs none of it without approval', () => {
		fc.assert(
			fc.property(anything, (text) => {
				const decision = ask({ mode: 'script', script: text, shell: 'powershell' }, 'shell.eval');
				expect(policyDecisionSchema.parse(decision)).toEqual(decision);
			}),
			{ numRuns: 500 },
		);
	});

	it('never allows a program that it does not know', () => {
		const junk = fc.stringMatching(/^zz[a-z]{3,8}$/);
		const around = fc.constantFrom(
			'%',
			'ls; %',
			'ls | %',
			'(%)',
			'{ %; }',
			'if %; then ls; fi',
			'echo $(%)',
			'time %',
			'! %',
			'ls && % x',
		);
		fc.assert(
			fc.property(junk, around, shellish, (name, shape, rest) => {
				const text = shape.replace('%', () => name);
				expect(ask(script(text)).decision).toBe('deny');
				expect(ask(script(`${name} ${rest}`)).decision).toBe('deny');
				expect(ask({ mode: 'argv', argv: [name, rest] }).decision).toBe('deny');
			}),
			runs,
		);
	});

	it('lets no free script run without approval that it would not let run as a plain one', () => {
		fc.assert(
			fc.property(anything, (text) => {
				const free = ask(script(text), 'shell.eval').decision;
				if (free === 'allow') expect(ask(script(text)).decision).toBe('allow');
			}),
			runs,
		);
	});
});

describe('a megabyte', () => {
	const size = 1024 * 1024;
	const long: [string, string][] = [
		['of one word', 'a'.repeat(size)],
		['of commands', 'ls;'.repeat(size / 3)],
		['of quotes', "'".repeat(size)],
		['of substitutions', '$('.repeat(size / 2)],
		['of brackets', '('.repeat(size)],
		['of braces', '{a,'.repeat(size / 3)],
		['of pipes', 'ls|'.repeat(size / 3)],
		['of dollars', '$'.repeat(size)],
		['of slashes', `cat ${'/'.repeat(size)}`],
		['of stars', `ls ${'*'.repeat(size)}`],
		['of dots', `cat ${'../'.repeat(size / 3)}`],
		['of blanks', ' '.repeat(size)],
	];

	it.each(long)('%s is refused for its length before anything reads it', (_name, text) => {
		expect(ask(script(text)).reasons.map(({ rule }) => rule)).toEqual(['limit/bytes']);
		expect(ask({ mode: 'argv', argv: ['ls', text] }).reasons.map(({ rule }) => rule)).toEqual(['limit/bytes']);
	});

	it.each(long)('%s, cut to what is read, is answered', (_name, text) => {
		const decisions = [
			ask(script(text.slice(0, 16_384)), 'shell.eval'),
			ask({ mode: 'argv', argv: ['ls', text.slice(0, 30_000)] }),
		];
		expect(decisions.map((decision) => policyDecisionSchema.safeParse(decision).success)).toEqual([true, true]);
	});
});
