import { describe, expect, it } from 'vitest';
import { explainDecision } from '../../../../src/core/policy/explain.ts';

describe('explainDecision', () => {
	it('tells every reason, what would run, and under which limits', () => {
		const text = explainDecision({
			decision: 'ask',
			reasons: [
				{ rule: 'default', class: 'default', decision: 'ask', why: 'no rule allows make', command: 'make' },
				{ rule: 'program/ls', class: 'program', decision: 'allow', why: 'ls may be run so', command: 'ls' },
			],
			plan: { mode: 'script', script: "'ls'\n'make'\n", shell: 'bash' },
			profile: 'jail',
			limits: { timeoutMs: 1500, outputBytes: 10 },
			isHighRisk: true,
			policyHash: '0123456789abcdef0000',
		});
		expect(text).toBe(`ask, to be typed in
  ask   default: no rule allows make (make)
  allow program/ls: ls may be run so (ls)
runs in bash:
  'ls'
  'make'
profile: jail
at most: 1.5 s, 10 bytes of output
policy: 0123456789abcdef
`);
	});

	it('spells out what a terminal would act on', () => {
		const text = explainDecision({
			decision: 'allow',
			reasons: [{ rule: 'r', class: 'program', decision: 'allow', why: 'a\u001b[2Jb\u202ec' }],
			plan: { mode: 'argv', argv: ['echo', '\u009b'] },
			profile: null,
			limits: {},
			isHighRisk: false,
			policyHash: '',
		});
		expect(text).toBe('allow\n  allow r: a\\u{1b}[2Jb\\u{202e}c\nruns: ["echo","\\u{9b}"]\npolicy: \n');
	});
});
