/** Reads programs of awk. Allowed is what computes and prints; files, pipes, other programs and modules are not. Pure. */

interface Token {
	readonly kind: 'name' | 'number' | 'text' | 'pattern' | 'sign' | 'newline';
	readonly text: string;
}

const parts: readonly { readonly kind: Token['kind'] | 'blank'; readonly pattern: RegExp }[] = [
	{ kind: 'blank', pattern: /[ \t]+|#[^\n]*/y },
	{ kind: 'newline', pattern: /\n/y },
	{ kind: 'name', pattern: /[A-Za-z_][A-Za-z0-9_]*/y },
	{ kind: 'number', pattern: /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y },
	{ kind: 'text', pattern: /"(?:[^"\\\n]|\\.)*"/y },
	{ kind: 'sign', pattern: />>|\|\||\|&|&&|\+\+|--|[-+*/%^=<>!~?:;,(){}[\]$&|]/y },
];
/** A pattern between slashes. A slash in brackets ends it for one awk and not for another. */
const pattern = /\/(?:[^/\\[\n]|\\.|\[\^?\]?(?:[^\]/\\\n]|\\.)*\])*\//y;

/** Words of the language after which a slash begins a pattern. */
const keywords = 'print printf return in if while for do else case exit next delete BEGIN END'.split(' ');

/** After an operand a slash divides. */
function divides(last: Token | undefined): boolean {
	if (!last) return false;
	if (last.kind === 'name') return !keywords.includes(last.text);
	return last.kind === 'sign' ? /^(\)|\]|\+\+|--|\$)$/.test(last.text) : last.kind !== 'newline';
}

function tokenAt(
	text: string,
	at: number,
	last: Token | undefined,
): Token | { readonly kind: 'blank'; readonly text: string } | undefined {
	const candidates = text[at] === '/' && !divides(last) ? [{ kind: 'pattern' as const, pattern }] : parts;
	for (const { kind, pattern: shape } of candidates) {
		shape.lastIndex = at;
		const found = shape.exec(text)?.[0];
		if (found !== undefined) return { kind, text: found };
	}
	return undefined;
}

function tokensOf(text: string): Token[] | undefined {
	const tokens: Token[] = [];
	for (let at = 0; at < text.length; ) {
		const token = tokenAt(text, at, tokens.at(-1));
		if (!token) return undefined;
		at += token.text.length;
		if (token.kind !== 'blank') tokens.push(token);
	}
	return tokens;
}

const forbidden = /^(system|getline|ARGV|ARGC|PROCINFO|SYMTAB|FUNCTAB|ERRNO|extension)$/;

/** @returns what in it is not allowed */
export function objectionToAwk(text: string): string | undefined {
	const tokens = tokensOf(text);
	if (!tokens) return 'a program of awk that is not understood';
	const name = tokens.find((token) => token.kind === 'name' && forbidden.test(token.text));
	if (name) return `"${name.text}" of awk`;
	// "length / x /" is read in two ways.
	const isUnclear = tokens.some((token, i) => token.text === 'length' && tokens[i + 1]?.text === '/');
	if (isUnclear || tokens.some(({ kind, text: sign }) => kind === 'sign' && /^(\||\|&|>>)$/.test(sign)))
		return 'a pipe or a file of awk';
	return printsIntoFile(tokens) ? 'output into a file of awk' : undefined;
}

/** ">" after print and outside of brackets names a file. */
function printsIntoFile(tokens: readonly Token[]): boolean {
	let isPrinting = false;
	let depth = 0;
	for (const { kind, text } of tokens) {
		if (kind === 'name' && /^printf?$/.test(text)) [isPrinting, depth] = [true, 0];
		if (kind === 'newline' || (kind === 'sign' && /^[;{}]$/.test(text))) isPrinting = false;
		if (kind !== 'sign') continue;
		if (text === '(' || text === '[') depth++;
		if (text === ')' || text === ']') depth--;
		if (text === '>' && isPrinting && depth <= 0) return true;
	}
	return false;
}
