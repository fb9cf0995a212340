/** The ways in which a program may write a secret: itself, encoded, escaped, reversed, and in pieces. Pure. */

/** A longer value is looked for in pieces, which overlap so that no byte between two pieces is missed in any encoding. */
const pieceLength = 64;
const overlap = 6;
/** A line or piece of a long value that is shorter could stand in harmless text. */
const shortestPiece = 16;

/** What follows the word is the secret itself, and a program may print it alone. */
const scheme = /^(?:Bearer|Basic|Token|ApiKey) +(?=\S{6})/i;

const reverse = (text: string): string => [...text].reverse().join('');

/** Without padding only the characters that hold no bit of a neighbour; with padding up to the end of the encoded text. */
function base64At(offset: number, bytes: Buffer): string[] {
	const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
	const first = Math.ceil((offset * 8) / 6);
	const inner = encoded.slice(first, Math.floor(((offset + bytes.length) * 8) / 6));
	return [inner, encoded.slice(first)];
}

function base64(text: string): string[] {
	const bytes = Buffer.from(text);
	const standard = [0, 1, 2].flatMap((offset) => base64At(offset, bytes));
	return [...standard, ...standard.map((form) => form.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))];
}

function hex(text: string): string[] {
	const lower = Buffer.from(text).toString('hex');
	return [lower, lower.toUpperCase()];
}

const percent = (character: string): string =>
	[...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** What libraries leave as it is: Python's quote, JavaScript's encodeURIComponent and encodeURI, forms; last: nothing. */
const urlSafe = [/[\w.~-]/, /[\w.~/-]/, /[\w.~!*'()-]/, /[\w.~!*'();,/?:@&=+$#-]/, /[\w.*-]/, /[^\s\S]/];

type ToCase = (escaped: string) => string;
const upper: ToCase = (escaped) => escaped.toUpperCase();
const lower: ToCase = (escaped) => escaped;

function escapeForUrl(text: string, safe: RegExp, space: string, toCase: ToCase): string {
	const escapeOne = (one: string) => (safe.test(one) ? one : toCase(percent(one)));
	return [...text].map((one) => (one === ' ' ? space : escapeOne(one))).join('');
}

const url = (text: string): string[] =>
	urlSafe.flatMap((safe) =>
		['%20', '+'].flatMap((space) => [upper, lower].map((toCase) => escapeForUrl(text, safe, space, toCase))),
	);

const toUnicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

function json(text: string): string[] {
	const inner = JSON.stringify(text).slice(1, -1);
	const ascii = inner.replaceAll(/[^\0-\x7f]/g, toUnicodeEscape);
	return [inner, ascii, inner.replaceAll('/', '\\/'), ascii.replaceAll('/', '\\/')];
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const quoteEntities: readonly Readonly<Record<string, string>>[] = [
	{},
	{ '"': '&quot;' },
	{ '"': '&quot;', "'": '&#39;' },
	{ '"': '&quot;', "'": '&#x27;' },
	{ '"': '&quot;', "'": '&apos;' },
	{ '"': '&#34;', "'": '&#39;' },
];

const html = (text: string): string[] =>
	quoteEntities.map((quotes) => text.replaceAll(/[&<>"']/g, (one) => entities[one] ?? quotes[one] ?? one));

const spell = (text: string): string[] => [
	...[text, reverse(text)],
	...base64(text),
	...hex(text),
	...url(text),
	...json(text),
	...html(text),
];

function pieces(text: string): string[] {
	const characters = [...text];
	if (characters.length <= pieceLength) return [text];
	const found: string[] = [];
	for (let start = 0; start < characters.length - overlap; start += pieceLength - overlap) {
		const end = Math.min(start + pieceLength, characters.length);
		found.push(characters.slice(Math.max(0, Math.min(start, end - shortestPiece)), end).join(''));
	}
	return found;
}

const longLines = (text: string): string[] =>
	text.split(/[\r\n]+/).filter((line) => line.length >= shortestPiece && line !== text);

/** Every text whose appearance gives the value away. */
export function spellingsOf(value: string): Set<string> {
	const text = Buffer.from(value).toString();
	const bare = text.replace(scheme, '');
	const wholes = bare === text ? [text] : [text, bare];
	return new Set([...wholes, ...longLines(text)].flatMap(pieces).flatMap(spell));
}
