import { describe, expect, it } from 'vitest';
import { describeFaults, parseSecrets } from '../../../../src/core/secrets/parse.ts';

const secretsOf = (text: string) => {
	const { secrets, faults } = parseSecrets(text);
	expect(faults).toEqual([]);
	return secrets;
};

describe('parseSecrets', () => {
	it.each([
		['a line', 'A=1', { A: '1' }],
		['lines of every system', 'A=1\r\nB=2\rC=3\n\n', { A: '1', B: '2', C: '3' }],
		['comments and empty lines', '# keys\n\n  # more\nA=1 # the first\nB=a#b', { A: '1', B: 'a#b' }],
		['lines of a shell', 'export A=1\n  export  B = 2', { A: '1', B: '2' }],
		['a value with signs of its own', 'A=a=b"c\'d\\n$e', { A: 'a=b"c\'d\\n$e' }],
		['quotes that keep spaces', 'A="  x # y "\nB=\'  x \' # why', { A: '  x # y ', B: '  x ' }],
		['escapes between double quotes only', 'A="a\\nb\\"c\\\\d\\$"\nB=\'a\\nb\'', { A: 'a\nb"c\\d\\$', B: 'a\\nb' }],
		['a key of several lines', 'A="-----BEGIN\nab==\n-----END"\nB=2', { A: '-----BEGIN\nab==\n-----END', B: '2' }],
		['a byte order mark', '\ufeffA=1', { A: '1' }],
		[
			'names that every object has',
			'__proto__=x\nconstructor=y',
			Object.fromEntries([
				['__proto__', 'x'],
				['constructor', 'y'],
			]),
		],
		['nothing', '', {}],
	])('reads %s', (_what, text, secrets) => {
		expect(secretsOf(text)).toEqual(secrets);
	});

	it.each([
		['a line without a name', 'A=1\nhunter2\nB=2', 'line 2 is not NAME=value', ['A', 'B']],
		['a name that no variable can have', '1A=hunter2', 'line 1 is not NAME=value', []],
		['an empty value', 'A=\nB=""\nC= # hunter2', 'line 1 has no value; line 2 has no value; line 3 has no value', []],
		['a name that stands there twice', 'A=1\nB=2\nA=hunter2', 'line 3 repeats the name of line 1', ['A', 'B']],
		['a quote that stays open', 'A=1\nB="hunter2\nC=3', 'line 2 has a quote that is never closed', ['A', 'C']],
		['text behind a quote', 'A="1" hunter2', 'line 1 has more text after the closing quote', []],
		[
			'a key without quotes',
			'A=-----BEGIN KEY-----\nhunter2\n-----END KEY-----',
			'line 1 begins a value of several lines, which needs quotes around it; line 2 is not NAME=value; line 3 is not NAME=value',
			[],
		],
	])('names the line of %s, and shows no value', (_what, text, faults, names) => {
		const parsed = parseSecrets(text);
		expect(describeFaults(parsed.faults)).toBe(faults);
		expect(Object.keys(parsed.secrets)).toEqual(names);
	});
});
