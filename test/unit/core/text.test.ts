import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, cutMark, cutMiddle, unlike } from '../../../src/core/text.ts';

const clean = (text: string): string => cleanText(Buffer.from(text));
const controlCharacter = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

describe('cleanText', () => {
	it.each([
		['keeps tabs, line ends and any script', 'a\tb\nñ 漢字 🎉', 'a\tb\nñ 漢字 🎉'],
		['drops colours', '\u001b[1;31mred\u001b[0m', 'red'],
		['drops cursor movements', 'a\u001b[2J\u001b[Hb', 'ab'],
		['drops titles with their text', '\u001b]0;owned\u0007a', 'a'],
		['drops hyperlinks but keeps their words', '\u001b]8;;http://x\u001b\\word\u001b]8;;\u001b\\', 'word'],
		['drops a sequence that never ends, up to the end of its line', '\u001b]52;c;cm0gLXJm\nnext', '\nnext'],
		['drops eight-bit sequences', 'a\u009d0;title\u009cb', 'ab'],
		['drops bells, NULs and deletes', 'a\u0000b\u0007c\u007fd', 'abcd'],
		['ends lines in one way', 'a\r\nb\rc\n', 'a\nb\nc\n'],
	])('%s', (_title, printed, expected) => {
		expect(clean(printed)).toBe(expected);
	});

	it('shows bytes that are not UTF-8 as replacement characters', () => {
		expect(cleanText(Buffer.from([0x61, 0xff, 0xc3, 0x62]))).toBe('a\ufffd\ufffdb');
	});

	it('never leaves a control character, whatever was printed', () => {
		const bytes = fc.uint8Array({ maxLength: 200 });
		const hostile = fc
			.array(
				fc.constantFrom('\u001b', '[', ']', 'P', '\\', '\u0007', '\u009b', '\u009d', '\r', '\n', '0', ';', 'm', 'a'),
			)
			.map((parts) => Buffer.from(parts.join('')));
		fc.assert(
			fc.property(fc.oneof(bytes, hostile), (printed) => !controlCharacter.test(cleanText(printed))),
			{ numRuns: 2_000 },
		);
	});

	it('changes nothing in a text without control characters', () => {
		const plain = fc.string({ unit: 'grapheme' }).filter((text) => !controlCharacter.test(text));
		fc.assert(fc.property(plain, (text) => clean(text) === text));
	});
});

describe('cutMiddle', () => {
	it('leaves a text that fits alone', () => {
		expect(cutMiddle('añb', 4)).toEqual({ text: 'añb', truncated: false });
	});

	it('keeps head and tail and says how many bytes are missing', () => {
		expect(cutMiddle('0123456789', 4)).toEqual({ text: `01${cutMark(6)}89`, truncated: true });
	});

	it('cuts between characters, never inside one', () => {
		expect(cutMiddle('ññññ', 6)).toEqual({ text: `ñ${cutMark(4)}ñ`, truncated: true });
	});

	it('keeps at most what is allowed, from both ends, and counts the rest truly', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.nat(40), (text, most) => {
				const bytes = Buffer.byteLength(text);
				const result = cutMiddle(text, most);
				if (bytes <= most) return result.text === text && !result.truncated;
				const cut = Number(/\[… (\d+) bytes cut …\]/.exec(result.text)?.[1]);
				const [first = '', last = ''] = result.text.split(cutMark(cut));
				const kept = Buffer.byteLength(first) + Buffer.byteLength(last);
				return text.startsWith(first) && text.endsWith(last) && kept <= most && kept + cut === bytes;
			}),
			{ numRuns: 1_000 },
		);
	});
});

describe('unlike', () => {
	const other = (path: string, ...more: string[]) => unlike(path, (name) => [path, ...more].includes(name));

	it.each([
		['a.csv', 'a (2).csv'],
		['a/b.c/d', 'a/b.c/d (2)'],
		['.profile', '.profile (2)'],
		['a.tar.gz', 'a.tar (2).gz'],
	])('calls another %s %s', (path, expected) => {
		expect(other(path)).toBe(expected);
	});

	it('counts on, from where it is told', () => {
		expect([other('a', 'a (2)'), unlike('a', () => false, 7)]).toEqual(['a (3)', 'a (7)']);
	});

	it('finds one also where a name is as long as it may be', () => {
		expect(other(`${'ñ'.repeat(125)}.csv`)).toBe(`${'ñ'.repeat(123)} (2).csv`);
	});
});
