/** What well-known commands print, as far as it follows from their words and their input. */
import { decode, escapes } from './decode.ts';
import { baseOf, directoryOf } from './fold-paths.ts';
import { percentFormatted, replacedIn } from './fold-text.ts';
import { HOLE, longestText, rowOf, text, type Values } from './value.ts';
import { spend } from './work.ts';

/** Null input: unknown. The result is unknown when nothing is known. */
type Output = (args: readonly string[], input: string | null) => Values | null;

const isOption = (arg: string): boolean => arg.startsWith('-') && arg.length > 1;
const has = (args: readonly string[], pattern: RegExp): boolean => args.some((arg) => pattern.test(arg));
const words = (args: readonly string[]): string[] => args.filter((arg) => !isOption(arg));

const echo: Output = (args) => {
	const isEscaped = has(args, /^-[ne]*e[ne]*$/);
	const start = args.findIndex((arg) => !/^-[neE]+$/.test(arg));
	const printed = start < 0 ? '' : args.slice(start).join(' ');
	return text(isEscaped ? escapes(printed) : printed);
};

const printf: Output = (args) => {
	const [format = '', ...values] = args[0] === '--' ? args.slice(1) : args;
	if (args[0] === '-v') return null;
	const count = (format.match(/%[^%]/g) ?? []).length;
	const rounds = count === 0 ? 1 : Math.min(256, Math.max(1, Math.ceil(values.length / count)));
	const plain = escapes(format);
	let printed = '';
	for (let i = 0; i < rounds && printed.length <= longestText; i++)
		printed += percentFormattedWords(plain, values.slice(i * count, (i + 1) * count));
	return text(printed);
};

/** `%b` reads escapes, `%d` and `%s` print their word. */
function percentFormattedWords(format: string, values: readonly string[]): string {
	const items = values.map((value) => text(escapes(value)));
	const [only] = percentFormatted(format.replaceAll('%b', '%s'), [{ kind: 'list', items, rest: [] }]);
	return only?.kind === 'text' ? only.text : HOLE;
}

const decoding =
	(encoding: string, flag: RegExp): Output =>
	(args, input) => {
		if (!has(args, flag) || input === null || input.includes(HOLE)) return null;
		const decoded = decode(encoding, input);
		return decoded === null ? null : text(decoded);
	};

const reversed: Output = (_, input) =>
	input === null
		? null
		: text(
				input
					.split('\n')
					.map((line) => [...line].reverse().join(''))
					.join('\n'),
			);

const longestSet = 256;

/** The letters of one argument of tr. */
function letters(set: string): string[] {
	const named = set
		.slice(0, longestSet)
		.replaceAll('[:lower:]', 'a-z')
		.replaceAll('[:upper:]', 'A-Z')
		.replaceAll('[:digit:]', '0-9')
		.replaceAll('[:space:]', ' \t\n');
	return [...escapes(named).replaceAll(/(.)-(.)/gs, (_, from: string, to: string) => between(from, to))];
}

function between(from: string, to: string): string {
	const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
	return String.fromCharCode(
		...Array.from({ length: Math.max(0, Math.min(256, last - first + 1)) }, (_, i) => first + i),
	);
}

const translated: Output = (args, input) => {
	if (input === null || input.includes(HOLE)) return null;
	const [from = '', to = ''] = words(args).map((set) => set);
	const sources = letters(from);
	const places = new Map(sources.map((letter, i) => [letter, i] as const).reverse());
	if (has(args, /^-d/)) return text([...input].filter((c) => !places.has(c)).join(''));
	const targets = letters(to);
	const target = (place: number): string => targets[Math.min(place, targets.length - 1)] ?? '';
	return text([...input].map((c) => (places.has(c) ? target(places.get(c) as number) : c)).join(''));
};

/** `s/from/to/g` with a plain pattern. */
const substituted: Output = (args, input) => {
	const [script = ''] = words(args);
	const [, , from, to, flags] = /^s(.)((?:(?!\1).)*)\1((?:(?!\1).)*)\1([gI]*)$/s.exec(script) ?? [];
	if (
		input === null ||
		input.includes(HOLE) ||
		from === undefined ||
		to === undefined ||
		/[[\](){}*+?^$|\\]/.test(from)
	)
		return null;
	return text(flags?.includes('g') && from !== '' ? replacedIn(input, from, to) : input.replace(from, () => to));
};

const cutOut: Output = (args, input) => {
	const range = /^-[cb]\s*(\d+)(-?)(\d*)$/.exec(args.join(''));
	if (!range || input === null || input.includes(HOLE)) return null;
	const from = Number(range[1]) - 1;
	return text(input.slice(from, range[2] === '' ? from + 1 : range[3] ? Number(range[3]) : undefined));
};

const overFirst =
	(change: (file: string) => string): Output =>
	(args) => {
		const [file] = words(args);
		return file === undefined ? null : text(change(file));
	};

const located: Output = (args) => {
	const name = words(args)[0];
	return name === undefined ? null : text(`/usr/bin/${baseOf(name)}`);
};

const copied: Output = (args, input) =>
	words(args).length === 0 || words(args)[0] === '-' ? (input === null ? null : text(input)) : null;

const outputs: Readonly<Record<string, Output>> = {
	echo,
	printf,
	cat: copied,
	tee: (_, input) => (input === null ? null : text(input)),
	head: copied,
	tail: copied,
	sort: copied,
	uniq: copied,
	base64: decoding('base64', /^(-[di]+|-D|--decode)$/),
	base32: decoding('base32', /^(-[di]+|--decode)$/),
	xxd: decoding('hex', /^-\w*r/),
	openssl: decoding('base64', /^-\w*d$/),
	rev: reversed,
	tr: translated,
	sed: substituted,
	cut: cutOut,
	basename: overFirst((file) => baseOf(file.replace(/(?<!\/)\/+$/, ''))),
	dirname: overFirst(directoryOf),
	which: located,
	command: (args, input) => (has(args, /^-[vV]$/) ? located(args, input) : null),
	pwd: () => text('/work'),
	whoami: () => text('nobody'),
	true: () => text(''),
};

export function outputOf(argv: readonly string[], input: string | null): Values | null {
	const name = baseOf(argv[0] ?? '');
	spend(argv.reduce((sum, word) => sum + word.length, input?.length ?? 0));
	return rowOf(outputs, name)?.(argv.slice(1), input) ?? null;
}
