import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveMask, silenceMs } from '../../../../src/core/secrets/live.ts';
import { createMask } from '../../../../src/core/secrets/redact.ts';
import { spellingsOf } from '../../../../src/core/secrets/spellings.ts';

const value = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
const mask = createMask({ KEY: value });

/** Of a secret, and of each of its spellings, so many bytes may be seen before its mask. */
const mostTold = (spelling: string): number => Math.min(8, Math.floor(spelling.length / 4));

interface Watched {
	/** What arrived, piece by piece. */
	readonly seen: string[];
	readonly live: LiveMask;
	print(...texts: (string | Buffer)[]): void;
	pause(ms?: number): void;
}

function watch(secrets = mask): Watched {
	const seen: string[] = [];
	const live = new LiveMask(secrets.stream(), (chunk) => seen.push(chunk.toString('latin1')));
	const print = (...texts: (string | Buffer)[]) => {
		for (const text of texts) live.push(Buffer.from(text as string));
	};
	return { seen, live, print, pause: (ms = silenceMs) => void vi.advanceTimersByTime(ms) };
}

/** Prints the text in pieces of the given sizes, with a silence after every second one that is odd. */
function printInPieces({ print, pause, live, seen }: Watched, text: string, sizes: readonly number[]): string {
	let rest = Buffer.from(text);
	for (const size of [...sizes, rest.length]) {
		print(rest.subarray(0, size));
		rest = rest.subarray(size);
		if (size % 2 === 1) pause();
	}
	live.end();
	return Buffer.from(seen.join(''), 'latin1').toString();
}

const sizes = fc.array(fc.nat(12), { maxLength: 80 });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('output that is watched', () => {
	it.each(['line g\n', 'a 8\r\n', 'two\nlines: ghp\n', '-----\n'])('shows the line %j at once and whole', (line) => {
		const { seen, print } = watch();
		print(line);
		expect(seen).toEqual([line]);
	});

	it('shows the line of a secret at once, its end included', () => {
		const { seen, print } = watch();
		print(`token: ${value}\n`);
		expect(Buffer.from(seen.join(''), 'latin1').toString()).toBe('token: •••KEY•••\n');
	});

	it('shows a prompt that ends like the beginning of a secret after a moment of silence', () => {
		const { seen, print, pause } = watch();
		print('Your flag');
		pause(silenceMs - 1);
		expect(seen).toEqual(['Your fla']);
		pause(1);
		expect(seen).toEqual(['Your fla', 'g']);
		print(' is');
		expect(seen.join('')).toBe('Your flag is');
	});

	it('waits with the longer beginning of a secret, however long the silence', () => {
		const { seen, print, pause, live } = watch();
		print(`see ${value.slice(0, 9)}`);
		pause(60_000);
		print('\n');
		expect(seen.join('')).toBe('see ');
		live.end();
		expect(seen.join('')).toBe(`see ${value.slice(0, 9)}\n`);
	});

	it('masks the rest of a secret whose first characters were shown', () => {
		const { seen, print, pause } = watch();
		print('see ghp_');
		pause();
		print(value.slice(4));
		expect(Buffer.from(seen.join(''), 'latin1').toString()).toBe('see ghp_•••KEY•••');
	});

	it.each([
		['a pause', '', 8],
		['the end of the line', '\n', 8],
	])(
		'shows no more than the beginning of a secret that is printed character by character with %s between',
		(_what, gap, told) => {
			const { seen, print, pause, live } = watch();
			for (const character of `${value}|`) {
				print(character + gap);
				pause();
			}
			live.end();
			const text = Buffer.from(seen.join(''), 'latin1').toString().replaceAll(/\s/g, '');
			expect(text).toBe(`${value.slice(0, told)}•••KEY•••|`);
		},
	);

	it('masks a long secret that is printed character by character as one, where its pieces meet, too', () => {
		const long = Array.from({ length: 40 }, (_, at) => `${at}:${(at * 7919) % 1000}`).join('+');
		const watched = watch(createMask({ LONG: long }));
		for (const character of long) {
			watched.print(character);
			watched.pause();
		}
		watched.live.end();
		expect(Buffer.from(watched.seen.join(''), 'latin1').toString()).toBe(`${long.slice(0, 8)}•••LONG•••`);
	});

	it('tells of a secret in a longer one no more than of the longer one', () => {
		const inner = 'q7w8e9';
		const outer = `ab${inner}${'0123456789ABCDEFGHIJKLMNOPQRSTUVWX'}`;
		const watched = watch(createMask({ INNER: inner, OUTER: outer }));
		for (const character of outer) {
			watched.print(character);
			watched.pause();
		}
		expect(Buffer.from(watched.seen.join(''), 'latin1').toString()).not.toMatch(/q7|01/);
	});

	it('tells nothing twice at its end, and nothing after it', () => {
		const { seen, print, pause, live } = watch();
		print('ghp');
		live.end();
		live.end();
		pause();
		print(value);
		expect(seen).toEqual(['ghp']);
	});

	it('passes everything on as it is where there is no secret', () => {
		const { seen, print, live } = watch(createMask({}));
		print('ghp', '_');
		live.end();
		expect(seen).toEqual(['ghp', '_']);
	});

	it('never shows a secret, nor more of its beginning than a quarter or 8 bytes, however it is cut and delayed', () => {
		const secret = fc.string({ minLength: 6, maxLength: 90, unit: fc.constantFrom(...'abcdefXYZ0189_-') });
		const gap = fc.constantFrom('', '', '', '\n', ' ');
		fc.assert(
			fc.property(
				secret,
				fc.array(fc.tuple(fc.nat(), gap), { minLength: 1, maxLength: 4 }),
				sizes,
				(own, picks, cuts) => {
					const secrets = createMask({ KEY: own });
					fc.pre(secrets.refused.length === 0);
					const spellings = [...spellingsOf(own)].filter((one) => one.length >= 6);
					const printed = picks.map(([pick, between]) => ({
						spelling: spellings[pick % spellings.length] as string,
						between,
					}));
					const text = printed.map(({ spelling, between }) => `|${[...spelling].join(between)}`).join('');
					const parts = printInPieces(watch(secrets), text, cuts).replaceAll(/\s/g, '').split('|').slice(1);
					for (const [at, part] of parts.entries()) {
						const { spelling } = printed[at] as (typeof printed)[0];
						expect(part.replaceAll('•••KEY•••', '').length, spelling).toBeLessThanOrEqual(mostTold(spelling));
					}
				},
			),
		);
	});

	it('is what was printed where there is no secret in it, and every line is there when it was printed', () => {
		const word = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.constantFrom('\n', 'g\n', 'ghp_16', 'a4', '-----', ' ', '%'),
		);
		fc.assert(
			fc.property(fc.array(fc.tuple(word, fc.boolean()), { maxLength: 40 }), (words) => {
				const watched = watch();
				let printed = '';
				for (const [text, isSilent] of words) {
					watched.print(text);
					printed += Buffer.from(text).toString('latin1');
					if (isSilent) watched.pause();
					if (isSilent || text.endsWith('\n')) expect(watched.seen.join('')).toBe(printed);
				}
				watched.live.end();
				expect(watched.seen.join('')).toBe(printed);
			}),
		);
	});
});
