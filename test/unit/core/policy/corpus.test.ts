import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failuresOf, readCorpus } from '../../../../src/core/policy/corpus.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';

const policy = loadPolicy(readFileSync('policies/read-only.yaml', 'utf8'));

describe('a corpus', () => {
	it('is a list in YAML, or a line of JSON for each command', () => {
		const entry = { command: 'ls', capability: 'shell.run', shell: 'auto', env: {}, expect: 'allow' };
		expect(readCorpus('- { command: ls, expect: allow }\n', false)).toEqual([entry]);
		expect(readCorpus('{"command":"ls","expect":"allow"}\n\n', true)).toEqual([entry]);
	});

	it.each([
		['- { command: ls }', false],
		['- { command: ls, argv: [ls], expect: allow }', false],
		['- { expect: allow }', false],
		['- { command: ls, expect: allow, extra: 1 }', false],
		['{"command":', true],
	])('is refused when it does not fit: %s', (text, isLines) => {
		expect(() => readCorpus(text, isLines)).toThrow('The policy is not valid');
	});

	it('tells what was decided otherwise, and by which rule', () => {
		const corpus = readCorpus(
			`
- { command: ls -la, expect: allow }
- { command: rm x, expect: allow }
- { argv: [ls, /root], expect: deny, rule: path/read }
- { argv: [ls, /root], expect: deny, rule: kill-list/power }
- { command: git push, capability: shell.eval, expect: ask }
`,
			false,
		);
		const told = failuresOf(policy, corpus).map(({ entry, decision, rule }) => [
			entry.command ?? entry.argv,
			decision,
			rule,
		]);
		expect(told).toEqual([
			['rm x', 'deny', 'default'],
			[['ls', '/root'], 'deny', 'path/read'],
		]);
	});
});
