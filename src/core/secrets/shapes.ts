/** Masks what looks like a secret by its shape, where nobody knows its value; for texts that are kept for people. Pure. */

/** Plain ASCII, so that it fits into bytes of any encoding. */
const mask = '[REDACTED]';

/** From, up to, not including, the secret itself. */
type Span = readonly [number, number];

/** Where secrets begin, or what stands before them. */
const beginnings = {
	name: '(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|auth[_-]?key|pwd|authorization)',
	scheme: '\\b(?:bearer|basic)[ \\t]',
	url: '://',
	login: '[ \\t](?:-u|--user)[ =]',
	jwt: '\\beyJ',
	aws: '\\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA|AIPA)',
	key: '\\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[srp]k[-_]|AIza)',
	pem: '-----BEGIN ',
} as const;
type Kind = keyof typeof beginnings;
const kinds = Object.keys(beginnings) as Kind[];

/** One group for each kind, in order. Nothing in it repeats, so that one pass takes as long as the text. */
const starts = new RegExp(kinds.map((kind) => `(${beginnings[kind]})`).join('|'), 'gi');

function sticky(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
	pattern.lastIndex = at;
	return pattern.exec(text);
}

const value = /\\?(?:"([^"\n]{1,4000})"?|'([^'\n]{1,4000})'?|([^\s"'&;,|<>()]{1,4000}))/y;

function valueAt(text: string, at: number): Span | undefined {
	const found = sticky(value, text, at);
	const inner = found?.[1] ?? found?.[2] ?? found?.[3];
	if (!found || inner === undefined) return undefined;
	const from = at + found[0].indexOf(inner);
	return [from, from + inner.length];
}

const assignment = /[\w.-]{0,30}\\?["']?[ \t]{0,4}(?:=>?|:)[ \t]{0,4}/y;
const gap = /[\w.-]{0,30}[ \t]{1,4}(?=[^\s-])/y;
const scheme = /\\?["']?(?:Bearer|Basic|Token|Digest|ApiKey)[ \t]{1,4}/iy;
const flag = /(?:^|\s)--?[\w.-]*$/;

/** NAME=value, "name": "value", --name value. */
function afterName(text: string, start: number, at: number): Span | undefined {
	const isFlag = flag.test(text.slice(Math.max(0, start - 60), start));
	const joint = sticky(assignment, text, at) ?? (isFlag ? sticky(gap, text, at) : null);
	if (!joint) return undefined;
	const from = at + joint[0].length;
	return valueAt(text, from + (sticky(scheme, text, from)?.[0].length ?? 0));
}

/** Sticky patterns for what follows; the first group, or all of it, is the secret. */
const credentials = /[ \t]{0,3}([\w.~+/=-]{8,4000})/y;
const password = /[^\s:/?#@"']{0,200}:([^\s@/"']{1,500})@/y;
const userPassword = /["']?[^\s:"']{1,100}:([^\s"']{1,500})/y;
const awsId = /[A-Z0-9]{16}\b/y;
const keyBody = /[\w-]{16,255}/y;

function inside(pattern: RegExp, text: string, at: number): Span | undefined {
	const found = sticky(pattern, text, at);
	if (!found) return undefined;
	const inner = found[1] ?? found[0];
	const from = at + found[0].lastIndexOf(inner);
	return [from, from + inner.length];
}

/** The line of dashes that ends a key, or the end of the text. */
function keyBlock(text: string, start: number): Span | undefined {
	const head = text.slice(start, start + 60);
	if (!/PRIVATE KEY|PGP/.test(head)) return undefined;
	const end = text.indexOf('-----END ', start);
	if (end < 0) return [start, text.length];
	const dashes = text.slice(end + 9, end + 60).indexOf('-----');
	return [start, dashes < 0 ? end + 9 : end + 9 + dashes + 5];
}

/** Finds secrets of a text from front to back. */
class Finder {
	readonly #text: string;
	/** Where the run of base64url characters ends that was measured last; none is measured twice. */
	#run: Span = [0, 0];

	constructor(text: string) {
		this.#text = text;
	}

	#runEnd(at: number): number {
		const [from, to] = this.#run;
		if (at >= from && at < to) return to;
		let end = at;
		while (end < this.#text.length && /[\w-]/.test(this.#text[end] as string)) end++;
		this.#run = [at, end];
		return end;
	}

	/** Three parts with dots between them, two of which begin as JSON does. */
	#jwt(start: number): Span | undefined {
		const first = this.#runEnd(start);
		if (!this.#text.startsWith('.eyJ', first)) return undefined;
		const second = this.#runEnd(first + 1);
		return [start, this.#text[second] === '.' ? this.#runEnd(second + 1) : second];
	}

	find(kind: Kind, start: number, end: number): Span | undefined {
		const text = this.#text;
		const whole = (span: Span | undefined): Span | undefined => span && [start, span[1]];
		switch (kind) {
			case 'name':
				return afterName(text, start, end);
			case 'scheme':
				return inside(credentials, text, end);
			case 'url':
				return inside(password, text, end);
			case 'login':
				return inside(userPassword, text, end);
			case 'jwt':
				return this.#jwt(start);
			case 'aws':
				return whole(inside(awsId, text, end));
			case 'key':
				return whole(inside(keyBody, text, end));
			case 'pem':
				return keyBlock(text, start);
		}
	}
}

/** A program's own output and what runs are never changed by it; only copies that are stored for people. */
export function maskShapes(text: string): string {
	const finder = new Finder(text);
	const parts: string[] = [];
	let at = 0;
	starts.lastIndex = 0;
	for (let start = starts.exec(text); start; start = starts.exec(text)) {
		const group = start.indexOf(start[0], 1);
		const span = finder.find(kinds[group - 1] as Kind, start.index, starts.lastIndex);
		if (!span) continue;
		parts.push(text.slice(at, span[0]), mask);
		at = span[1];
		starts.lastIndex = at;
	}
	return parts.length === 0 ? text : parts.join('') + text.slice(at);
}

/** The same for bytes, whatever their encoding. */
export const maskShapesIn = (bytes: Buffer): Buffer => Buffer.from(maskShapes(bytes.toString('latin1')), 'latin1');

/** In words of a command, where the name of a secret and the secret are two words. */
function maskWords(words: readonly string[]): string[] {
	return words.map((word, index) => {
		const before = words[index - 1] ?? '';
		const isValue = index > 0 && maskShapes(`${before} x`) !== `${maskShapes(before)} x`;
		return isValue ? mask : maskShapes(word);
	});
}

/** The same for every text within a value, as far as JSON reaches. */
export function maskShapesWithin(value: unknown): unknown {
	if (typeof value === 'string') return maskShapes(value);
	if (Array.isArray(value))
		return value.every((one) => typeof one === 'string') ? maskWords(value) : value.map(maskShapesWithin);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskShapesWithin(inner)]));
}

/** The same value with every text in it changed, names of members left as they are. */
export function textsWithin(value: unknown, change: (text: string) => string): unknown {
	if (typeof value === 'string') return change(value);
	if (Array.isArray(value)) return value.map((one) => textsWithin(one, change));
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, textsWithin(inner, change)]));
}
