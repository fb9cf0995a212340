/** Reads the text of a credential: NAME=value lines. Faults are named by line number, because any word may be part of a value. Pure. */

export interface Fault {
	/** 1-based. */
	readonly line: number;
	readonly reason: string;
}

export interface Parsed {
	readonly secrets: Readonly<Record<string, string>>;
	readonly faults: readonly Fault[];
}

/** A text that is read from front to end. */
interface Reader {
	readonly lines: readonly string[];
	at: number;
}

const entry = /^\s*(?:export\s+)?([A-Za-z_]\w{0,127})\s*=\s*(.*)$/;
const comment = /^\s*(?:#.*)?$/;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

const resolveEscapes = (text: string): string =>
	text.replaceAll(/\\([\s\S])/g, (whole, character: string) => escapes[character] ?? whole);

/** Up to the quote that closes the value, which may stand some lines below. */
const quoted = {
	'"': /^"((?:[^"\\]|\\[\s\S])*)"(.*)$/s,
	"'": /^'([^']*)'(.*)$/s,
};

/** @returns the value, or what is wrong with it */
function readQuoted(reader: Reader, start: string, quote: '"' | "'"): { value: string } | { reason: string } {
	let text = start;
	for (let next = reader.at; ; next++) {
		const [, inner, rest] = quoted[quote].exec(text) ?? [];
		if (inner !== undefined && rest !== undefined) {
			reader.at = next;
			if (!comment.test(rest)) return { reason: 'has more text after the closing quote' };
			return { value: quote === '"' ? resolveEscapes(inner) : inner };
		}
		if (next >= reader.lines.length) return { reason: 'has a quote that is never closed' };
		text += `\n${reader.lines[next]}`;
	}
}

function readPlain(text: string): { value: string } | { reason: string } {
	if (text.startsWith('-----BEGIN')) return { reason: 'begins a value of several lines, which needs quotes around it' };
	return { value: text.replace(/(?:^|\s+)#.*$/, '').trimEnd() };
}

function readValue(reader: Reader, text: string): { value: string } | { reason: string } {
	const [quote] = text;
	const read = quote === '"' || quote === "'" ? readQuoted(reader, text, quote) : readPlain(text);
	return 'value' in read && read.value === '' ? { reason: 'has no value' } : read;
}

/** NAME=value, export NAME=value, values in quotes over several lines, # comments; a name may stand there once. */
export function parseSecrets(text: string): Parsed {
	const secrets = new Map<string, { value: string; line: number }>();
	const faults: Fault[] = [];
	const reader: Reader = { lines: text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/), at: 0 };
	while (reader.at < reader.lines.length) {
		const source = reader.lines[reader.at++] ?? '';
		const line = reader.at;
		if (comment.test(source)) continue;
		const [, name, rest] = entry.exec(source) ?? [];
		if (name === undefined || rest === undefined) {
			faults.push({ line, reason: 'is not NAME=value' });
			continue;
		}
		const read = readValue(reader, rest);
		const first = secrets.get(name);
		if ('reason' in read) faults.push({ line, reason: read.reason });
		else if (first) faults.push({ line, reason: `repeats the name of line ${first.line}` });
		else secrets.set(name, { value: read.value, line });
	}
	return { secrets: Object.fromEntries([...secrets].map(([name, { value }]) => [name, value])), faults };
}

export const describeFaults = (faults: readonly Fault[]): string =>
	faults
		.slice(0, 5)
		.map(({ line, reason }) => `line ${line} ${reason}`)
		.join('; ');
