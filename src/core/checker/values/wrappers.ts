/** Programs whose only work is to start another program: what they start, and what code a command carries. */
import type { Language } from '../../../contract/language.ts';
import { baseOf } from './fold-paths.ts';
import { HOLE, rowOf } from './value.ts';

/** How many words after the name belong to the wrapper: options with and without a value, then fixed words. */
interface Wrapper {
	readonly valued?: RegExp;
	/** Words of its own before the command, for example the duration of timeout. */
	readonly fixed?: number;
	readonly assigns?: boolean;
}

const wrappers: Readonly<Record<string, Wrapper>> = {
	sudo: { valued: /^-[ughpCrtT]$/, assigns: true },
	doas: { valued: /^-[uC]$/ },
	env: { valued: /^-[uCS]$/, assigns: true },
	command: {},
	builtin: {},
	exec: { valued: /^-a$/ },
	nohup: {},
	setsid: {},
	time: { valued: /^-[fo]$/ },
	nice: { valued: /^-n$/ },
	ionice: { valued: /^-[cnp]$/ },
	stdbuf: { valued: /^-[ioe]$/ },
	timeout: { valued: /^-[ks]$/, fixed: 1 },
	busybox: {},
	toybox: {},
	unbuffer: {},
	catchsegv: {},
	chrt: { fixed: 1 },
	taskset: { fixed: 1 },
	strace: { valued: /^-[eopsP]$/ },
	ltrace: { valued: /^-[eopsP]$/ },
	watch: { valued: /^-[n]$/ },
	xargs: { valued: /^-[IndPLsEa]$/ },
	parallel: { valued: /^-[jIN]$/ },
	'systemd-run': { valued: /^-[pu]$/ },
	flock: { valued: /^-[wE]$/, fixed: 1 },
};

export interface Unwrapped {
	readonly argv: readonly string[];
	readonly wrappers: readonly string[];
}

export function unwrap(argv: readonly string[]): Unwrapped {
	const found: string[] = [];
	let rest = argv;
	for (let depth = 0; depth < 8; depth++) {
		const name = baseOf(rest[0] ?? '');
		const wrapper = rowOf(wrappers, name);
		if (!wrapper || (name === 'command' && /^-[vV]/.test(rest[1] ?? ''))) break;
		const inner = rest.slice(startOf(rest, wrapper));
		if (inner.length === 0) break;
		found.push(name);
		rest = inner;
	}
	return { argv: rest, wrappers: found };
}

function startOf(argv: readonly string[], wrapper: Wrapper): number {
	let at = 1;
	while (at < argv.length && isOwnWord(argv[at] as string, wrapper))
		at += wrapper.valued?.test(argv[at] as string) ? 2 : 1;
	if (argv[at] === '--') at++;
	return at + (wrapper.fixed ?? 0);
}

const isOwnWord = (word: string, wrapper: Wrapper): boolean =>
	(word.startsWith('-') && word !== '--' && word !== '-') || (wrapper.assigns === true && /^\w+=/.test(word));

export interface CarriedCode {
	readonly language: Language;
	readonly text: string;
}

export const shells = /^(ba|da|z|k|a|mk|rba)?sh$/;
const pythons = /^(python[\d.]*|pypy\d*)$/;
const nodes = /^(node|nodejs|bun|deno|tsx|ts-node)$/;

export function interpreterOf(name: string): Language | null {
	const base = baseOf(name);
	if (shells.test(base)) return 'bash';
	if (pythons.test(base)) return 'python';
	return nodes.test(base) ? 'javascript' : null;
}

const codeOption: Record<Language, RegExp> = {
	bash: /^-[a-z]*c$/,
	python: /^-[a-zA-Z]*c$/,
	javascript: /^(-e|-p|-pe|--eval|--print|eval)$/,
};

/** The program text that a command carries in its words or reads from its input. */
export function carriedCode(argv: readonly string[], input: string | null): CarriedCode[] {
	const [name = '', ...args] = argv;
	if (name === 'eval') return [{ language: 'bash', text: args.join(' ') }];
	if (name === 'trap') return args.length > 1 && args[0] !== '-' ? [{ language: 'bash', text: args[0] as string }] : [];
	if (name === 'find' || baseOf(name) === 'find') return executedByFind(args);
	if ((name === 'source' || name === '.') && /^\/dev\/(stdin|fd\/0)$/.test(args[0] ?? '')) return read('bash', input);
	if (baseOf(name) === 'su') return afterOption('bash', args, /^(-[a-z]*c|--command)$/);
	if (baseOf(name) === 'script') return afterOption('bash', args, /^-[a-z]*c$/);
	const language = interpreterOf(name);
	return language ? interpreted(language, args, input) : [];
}

function interpreted(language: Language, args: readonly string[], input: string | null): CarriedCode[] {
	const given = afterOption(language, args, codeOption[language]);
	return given.length > 0 || !readsInput(language, args) ? given : read(language, input);
}

/** Without a file or module to run, an interpreter runs what it reads. */
export const readsInput = (language: Language, args: readonly string[]): boolean =>
	args.every((arg) => arg.startsWith('-') && !(language === 'python' && arg === '-m')) ||
	args.includes('-s') ||
	args[0] === '/dev/stdin';

function afterOption(language: Language, args: readonly string[], option: RegExp): CarriedCode[] {
	const at = args.findIndex((arg) => option.test(arg));
	const text = at < 0 ? undefined : args[at + 1];
	return text === undefined ? [] : [{ language, text }];
}

const read = (language: Language, input: string | null): CarriedCode[] =>
	input === null || input === HOLE ? [] : [{ language, text: input }];

/** `find … -exec rm {} \;` is a command of its own. */
function executedByFind(args: readonly string[]): CarriedCode[] {
	return args.flatMap((arg, i) => {
		if (!/^-(exec|ok)(dir)?$/.test(arg)) return [];
		const rest = args.slice(i + 1);
		const end = rest.findIndex((word) => word === ';' || word === '+');
		return [{ language: 'bash' as const, text: quoted(end < 0 ? rest : rest.slice(0, end)) }];
	});
}

const quoted = (words: readonly string[]): string =>
	words.map((word) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
