import { describe, expect, it } from 'vitest';
import { shownFor, visible } from '../../../../src/device/agent/shown.ts';

describe('a command that a person must approve', () => {
	it('shows each word on a line of its own, so that a blank in a word is no border of words', () => {
		expect(shownFor({ mode: 'argv', argv: ['rm', '-r', 'a b'] })).toBe('[0] rm\n[1] -r\n[2] a b');
	});

	it('shows a script line by line, with its shell', () => {
		expect(shownFor({ mode: 'script', shell: 'bash', script: 'cd /tmp\nls\n' })).toBe('# bash, 2 lines\ncd /tmp\nls');
	});

	it('keeps a word with a line break on its line', () => {
		expect(shownFor({ mode: 'argv', argv: ['echo', 'a\n[2] b'] })).toBe('[0] echo\n[1] a\\x0a[2] b');
	});

	it.each([
		['terminal sequences', '\u001b[2Jls', '\\x1b[2Jls'],
		['carriage returns and backspaces', 'rm\rls\b', 'rm\\x0dls\\x08'],
		['reversed reading order', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
		['zero widths and soft hyphens', 'a\u200bb\u00adc\ufeff', 'a\\u{200b}b\\xadc\\u{feff}'],
		['tag characters', 'a\u{e0041}b', 'a\\u{e0041}b'],
		['blanks that are none', 'a\u00a0b\u3000c\u2003d', 'a\\xa0b\\u{3000}c\\u{2003}d'],
		['lone surrogates', 'a\ud800b', 'a\\u{d800}b'],
		['backslashes that are really there', '\\x1b', '\\\\x1b'],
		['ordinary letters of any script as they are', 'ñ 日本 ü 😀', 'ñ 日本 ü 😀'],
	])('spells out %s', (_what, text, shown) => {
		expect(visible(text)).toBe(shown);
	});
});
