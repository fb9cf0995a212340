import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMask, isTooCommon, type Mask } from '../../../../src/core/secrets/redact.ts';

const value = 'sk-pröj/4f+Qz "R&D" <9>=\'x\'~';
const plain = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
const masks = createMask({ TOKEN: value, GITHUB: plain });

const pemLines = Array.from({ length: 20 }, (_, line) =>
	Buffer.from(`line ${line} of a key that is none `.repeat(2)).toString('base64').slice(0, 64),
);
const pem = `-----BEGIN PRIVATE KEY-----\n${pemLines.join('\n')}\nshortEnd==\n-----END PRIVATE KEY-----\n`;

/** What a stream says when its bytes arrive in the given pieces. */
function stream(mask: Mask, text: string, sizes: readonly number[]): string {
	const bytes = Buffer.from(text);
	const masked = mask.stream();
	if (!masked) return text;
	const parts: Buffer[] = [];
	let at = 0;
	for (const size of sizes) {
		parts.push(masked.push(bytes.subarray(at, at + size)));
		at += size;
	}
	parts.push(masked.push(bytes.subarray(at)), masked.end());
	return Buffer.concat(parts).toString();
}

const reversed = (text: string) => [...text].reverse().join('');
const hexOf = (text: string) => Buffer.from(text).toString('hex');
const percentOf = (text: string) => hexOf(text).replaceAll(/../g, '%$&');

describe('a mask', () => {
	it.each([
		['as it is', value],
		['in hexadecimal', hexOf(value)],
		['in capital hexadecimal', hexOf(value).toUpperCase()],
		['as encodeURIComponent writes it', encodeURIComponent(value)],
		['with small escapes', encodeURIComponent(value).replaceAll(/%../g, (one) => one.toLowerCase())],
		['as a form writes it', new URLSearchParams({ a: value }).toString().slice(2)],
		['as encodeURI writes it', encodeURI(value)],
		['with every byte escaped', percentOf(value)],
		['with every byte escaped in capitals', percentOf(value).toUpperCase()],
		['in JSON', JSON.stringify(value).slice(1, -1)],
		['in JSON of plain ASCII', JSON.stringify(value).slice(1, -1).replace('ö', '\\u00f6')],
		['in JSON with escaped slashes', JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/')],
		['in HTML', value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')],
		[
			'in an HTML attribute',
			value
				.replaceAll('&', '&amp;')
				.replaceAll('<', '&lt;')
				.replaceAll('>', '&gt;')
				.replaceAll('"', '&quot;')
				.replaceAll("'", '&#x27;'),
		],
		['reversed', reversed(value)],
		['in two lines', `${value.slice(0, 9)}\n${value.slice(9)}`],
		['one character on each line', [...value].join('\r\n')],
		['with a space after each character', [...value].join(' ')],
		['in 16 bits', [...value.replace('ö', '')].join('\0').replace('r\0j', 'r\0ö\0j')],
	])('hides a value %s', (_how, text) => {
		expect(masks.text(`before[${text}]after`)).toBe('before[•••TOKEN•••]after');
	});

	it.each(['base64', 'base64url'] as const)('hides a value wherever it lies in a longer %s text', (encoding) => {
		for (let offset = 0; offset < 12; offset++) {
			const encoded = Buffer.from(`${'u'.repeat(offset)}${plain}:and more`).toString(encoding);
			const masked = masks.text(encoded);
			expect(masked).toContain('•••GITHUB•••');
			const rest = masked.split('•••GITHUB•••').map((part) => Buffer.from(part, encoding).toString('latin1'));
			expect(rest.join('|')).not.toMatch(/ghp_|16C7|Ae178|B4a/);
		}
	});

	it('hides the padded end of a base64 text, too', () => {
		const encoded = Buffer.from(`user:${plain}`).toString('base64');
		expect(masks.text(`Basic ${encoded}.`)).toMatch(/^Basic \S{6,7}•••GITHUB•••\.$/);
	});

	it('hides base64 that is broken into lines', () => {
		const wrapped = Buffer.from(plain.repeat(3)).toString('base64').replaceAll(/.{19}/g, '$&\n');
		expect(masks.text(wrapped).replaceAll('•••GITHUB•••', '').length).toBeLessThan(4);
	});

	it('hides what follows the word of an authorization header alone', () => {
		expect(createMask({ AUTH: 'Bearer abc123xyz' }).text('token: abc123xyz')).toBe('token: •••AUTH•••');
	});

	it('hides a long value whole, and each long line of it alone', () => {
		const mask = createMask({ KEY: pem });
		expect(mask.text(`<${pem.trim()}>`)).toBe('<•••KEY•••>');
		expect(mask.text(`<${JSON.stringify(pem)}>`)).toBe('<"•••KEY•••">');
		expect(mask.text(`<${pemLines[7]}>`)).toBe('<•••KEY•••>');
		expect(mask.text(reversed(pemLines[7] as string))).toBe('•••KEY•••');
		const encoded = mask.text(Buffer.from(`x${pem}`).toString('base64'));
		expect(encoded.replaceAll('•••KEY•••', '').length).toBeLessThan(8);
	});

	it('covers values that overlap with one mask', () => {
		const mask = createMask({ ONE: 'abcdefgh', TWO: 'efghijkl' });
		expect(mask.text('-abcdefghijkl-')).toBe('-•••ONE•••-');
		expect(mask.text('-efghijkl-')).toBe('-•••TWO•••-');
	});

	it('leaves the white space around a value, at the end of the output, too', () => {
		expect(masks.text(`\n ${plain}\n`)).toBe('\n •••GITHUB•••\n');
		expect(masks.text(`${plain.slice(0, -3)}\n`)).toBe('•••GITHUB•••\n');
	});

	it('leaves what only begins like a value as it is', () => {
		const text = `ghp_16C7e42F ghp_16C7e42F292c6912E7710c838347Ae178B4b ghp_\nsk-pr ${value.slice(1)}`;
		expect(masks.text(text)).toBe(text);
	});

	it('gives bytes back as they are when there is nothing to hide', () => {
		const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
		const masked = masks.stream();
		expect(Buffer.concat([masked?.push(bytes) ?? bytes, masked?.end() ?? bytes])).toEqual(bytes);
	});

	it('hides a value that was cut off at the end, when the larger part of it is there', () => {
		expect(masks.text(`${plain} ${plain.slice(0, -3)}`)).toBe('•••GITHUB••• •••GITHUB•••');
		expect(masks.text(`a ${plain.slice(0, 5)}`)).toBe(`a ${plain.slice(0, 5)}`);
	});

	it('holds back only what may become a value, so that a prompt appears at once', () => {
		const masked = masks.stream();
		const said = ['Your name? ', 'ghp_16', 'C7', ' is fine'].map((text) => masked?.push(Buffer.from(text)).toString());
		expect(said).toEqual(['Your name? ', '', '', 'ghp_16C7 is fine']);
	});

	it('holds little back when a program begins a value and then prints nothing but white space', () => {
		const masked = masks.stream();
		const gaps = ' '.repeat(1_000_000);
		expect(masked?.push(Buffer.from(`ghp_${gaps}`)).toString()).toBe(`ghp_${gaps}`);
	});

	it('gives a mask out with the last byte of the value', () => {
		expect(masks.stream()?.push(Buffer.from(plain)).toString()).toBe('•••GITHUB•••');
	});

	it('says the same however its input is cut', () => {
		const words = fc.constantFrom(value, plain, hexOf(plain), pem, 'ghp_16', ' ', '\n', 'x', reversed(plain), 'ö');
		const mask = createMask({ TOKEN: value, GITHUB: plain, KEY: pem });
		fc.assert(
			fc.property(fc.array(words, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 60 }), (parts, sizes) => {
				const text = parts.join('');
				const whole = mask.text(text);
				expect(stream(mask, text, sizes)).toBe(whole);
				expect(whole).not.toContain(plain);
				expect(whole).not.toContain(value);
			}),
		);
	});
});

describe('values that cannot be masked', () => {
	it.each(['', 'abc', 'a b c d', 'true', 'password', ' LocalHost', '12345678', '0000000000', '         x'])(
		'refuses %j, which would tear ordinary output apart',
		(common) => {
			const mask = createMask({ FLAG: common });
			expect(mask.refused).toEqual(['FLAG']);
			expect(mask.text(`it is ${common}`)).toBe(`it is ${common}`);
		},
	);

	it('masks the others', () => {
		const mask = createMask({ FLAG: 'true', KEY: plain });
		expect([mask.refused, mask.text(`true ${plain}`)]).toEqual([['FLAG'], 'true •••KEY•••']);
	});

	it('takes a short value that is no word', () => {
		expect(isTooCommon('x7!q_2')).toBe(false);
	});
});
