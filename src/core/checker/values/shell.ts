/** Runs the commands of a shell on the small domain: words become argument vectors, pipes carry text. */
import type { CommandFact, CommandInput, RedirectFact } from '../facts.ts';
import type { CommandNode, GroupNode, Node, OutputNode, PipelineNode, ShellRedirect } from '../languages/ir.ts';
import { bindTo } from './assign.ts';
import { invoke, siteOf, tryCall } from './calls.ts';
import { baseOf, joinPaths, normalisePath } from './fold-paths.ts';
import type { Machine } from './machine.ts';
import { outputOf } from './shell-output.ts';
import { blanked, variable } from './shell-variables.ts';
import { BLANK, HOLE, joinAll, list, rowOf, text, textsOf, unknown, type Value, type Values } from './value.ts';
import { spend } from './work.ts';
import { carriedCode, interpreterOf, unwrap } from './wrappers.ts';

const mostWays = 6;
const longestCommand = 512;
const workingFolder = '()cwd';

/** Splits what unquoted expansions gave into fields. */
export const fieldsOf = (values: Values): Values => joinAll(values.flatMap(fieldsOfOne));

function fieldsOfOne(value: Value): Values[] {
	if (value.kind !== 'text') return [[value]];
	spend(2 * value.text.length);
	return value.text.split(BLANK).map((field) => text(field));
}

/** Every word is held against every rule. */
const unitsOfWord = 20;

/** The ways a list of words may read, each as its fields. */
function waysOf(words: readonly Values[]): string[][] {
	let ways: string[][] = [[]];
	for (const word of words) {
		const fields = textsOf(word).map((one) => fieldsIn(one));
		for (const some of fields) spend(ways.length * some.length * unitsOfWord);
		if (fields.length === 1) for (const way of ways) way.push(...(fields[0] as string[]));
		else ways = ways.flatMap((way) => fields.map((more) => [...way, ...more])).slice(0, mostWays);
	}
	return ways;
}

const fieldsIn = (word: string): string[] =>
	word.includes(BLANK) ? word.split(BLANK).filter((field) => field !== '') : [word];

export function evaluateCommand(machine: Machine, node: CommandNode): Values {
	const assignments = assignmentsOf(machine, node);
	const words = node.words.slice(0, longestCommand).map((word, i) => evaluateWord(machine, word, i === 0));
	const redirects = redirectsOf(machine, node.redirects);
	const input = inputOf(machine, node.input);
	if (node.words.length === 0) noteRedirects(machine, node, redirects, input);
	return joinAll(
		waysOf(words).map((way) => {
			return way.length === 0 ? unknown : runWay(machine, node, way, { assignments, redirects, input });
		}),
	);
}

/** An expansion that gives nothing is no word. In the name of a command a variable that nobody sets is empty. */
function evaluateWord(machine: Machine, word: Node, isName: boolean): Values {
	machine.isCommandName = isName;
	const values = machine.evaluate(machine, word);
	machine.isCommandName = false;
	const mayVanish = (word.kind === 'variable' || word.kind === 'output') && !word.quoted;
	return mayVanish
		? values.map((value) => (value.kind === 'text' && value.text === '' ? { kind: 'text', text: BLANK } : value))
		: values;
}

interface Surroundings {
	readonly assignments: ReadonlyMap<string, Values>;
	readonly redirects: readonly RedirectFact[];
	readonly input: CommandInput | null;
}

/** Before a command an assignment is for that command alone; without one it stays. */
function assignmentsOf(machine: Machine, node: CommandNode): Map<string, Values> {
	const given = new Map<string, Values>();
	for (const { target, value, by } of node.assignments) {
		const values = machine.evaluate(machine, value);
		if (target.kind === 'name') given.set(target.name, values);
		if (node.words.length === 0) bindTo(machine, target, values, by);
	}
	return given;
}

function redirectsOf(machine: Machine, redirects: readonly ShellRedirect[]): RedirectFact[] {
	return redirects.flatMap(({ operator, descriptor, target }) =>
		textsOf(machine.evaluate(machine, target)).map((one) => ({ operator, descriptor, target: inFolder(machine, one) })),
	);
}

function inputOf(machine: Machine, document: Node | null): CommandInput | null {
	if (!document) return machine.pipe;
	const [only] = textsOf(machine.evaluate(machine, document));
	return { text: only ?? HOLE, from: [] };
}

function noteRedirects(
	machine: Machine,
	node: CommandNode,
	redirects: readonly RedirectFact[],
	input: CommandInput | null,
): void {
	const assignments = new Map<string, Values>();
	for (const { target, value } of node.assignments) {
		if (target.kind === 'name')
			assignments.set(
				target.name,
				machine.trial(() => machine.evaluate(machine, value)),
			);
	}
	note(machine, node, [], { assignments, redirects, input });
}

function note(machine: Machine, node: CommandNode, words: readonly string[], around: Surroundings): CommandFact {
	const { argv, wrappers } = unwrap(words);
	const folder = folderOf(machine);
	const fact: CommandFact = {
		kind: 'command',
		argv,
		wrappers,
		folder,
		...around,
		background: node.background,
		span: node,
	};
	machine.note(fact);
	for (const { language, text: code } of carriedCode(argv, around.input?.text ?? null)) {
		machine.note({ kind: 'code', language, text: code, origin: originOf(machine, node), span: node });
	}
	return fact;
}

/** Commands inside the words of this one, whose output is part of them. Their facts are the last ones. */
function originOf(machine: Machine, node: CommandNode): string[][] {
	const inside: string[][] = [];
	for (let i = machine.facts.length - 1; i >= 0 && inside.length < 16; i--) {
		spend(1);
		const fact = machine.facts[i];
		if (!fact || fact.span.from < node.from || fact.span.to > node.to) break;
		if (fact.kind === 'command' && fact.span !== node && fact.argv.length > 0) inside.push([...fact.argv]);
	}
	return inside;
}

function runWay(machine: Machine, node: CommandNode, words: string[], around: Surroundings): Values {
	const argv = withoutGlob(withoutAlias(machine, words));
	const called = callOwn(machine, node, argv);
	if (called) return called;
	const fact = noteSubstituted(machine, node, argv, around) ?? note(machine, node, argv, around);
	act(machine, fact);
	return outputOf(fact.argv, fact.input?.text ?? null) ?? text(HOLE);
}

/** `bash <(…)` runs what the commands inside print. */
function noteSubstituted(
	machine: Machine,
	node: CommandNode,
	argv: readonly string[],
	around: Surroundings,
): CommandFact | null {
	const [name = ''] = argv;
	const input = argv.flatMap((word) => machine.substituted.get(word) ?? [])[0];
	const runner = /^(source|\.)$/.test(name) ? 'bash' : name;
	return input && interpreterOf(runner) ? note(machine, node, [runner], { ...around, input }) : null;
}

const globbed = 'rm cat bash sh dash curl wget nc ncat chmod chown dd python3 python perl node whoami passwd'.split(
	' ',
);

/** `/b?n/c?t` is the first well-known program that it fits. */
function withoutGlob(argv: string[]): string[] {
	const [name = '', ...rest] = argv;
	if (!/[?*[]/.test(name) || name === '[' || name === '[[' || name.length > 64) return argv;
	const source = baseOf(name)
		.replaceAll(/\*+/g, '*')
		.replaceAll(/[.+^${}()|\\]|\*|\?/g, (c) => (c === '*' ? '.*' : c === '?' ? '.' : `\\${c}`));
	try {
		const pattern = new RegExp(`^${source}$`);
		return [globbed.find((program) => pattern.test(program)) ?? name, ...rest];
	} catch {
		return argv;
	}
}

function withoutAlias(machine: Machine, words: string[]): string[] {
	const alias = machine.scope.root.bindings.get(`alias ${words[0]}`)?.all ?? unknown;
	const [meaning] = textsOf(alias);
	if (alias.length === 0 || meaning === undefined) return words;
	const started = meaning.split(/\s+/);
	spend(started.length * unitsOfWord);
	return [...started, ...words.slice(1)];
}

/** A function of the script gets its words as `$1`, `$2`… What it prints matters only where it is captured. */
function callOwn(machine: Machine, node: CommandNode, argv: readonly string[]): Values | null {
	const own = machine.scope.root.bindings.get(`()${argv[0]}`)?.all ?? unknown;
	const callee = own.find((value) => value.kind === 'function');
	if (!callee) return null;
	const args = argv.slice(1, 10).map((word) => text(word));
	invoke(machine, [callee], args, new Map(), node);
	if (!machine.isCaptured || !machine.canTry) return text(HOLE);
	let output: Values = unknown;
	tryCall(siteOf(machine, args, new Map(), node), callee, args, (body) => {
		output = bodyOutput(machine, body);
	});
	return output;
}

type Act = (machine: Machine, args: readonly string[], fact: CommandFact) => void;

const enterFolder: Act = (machine, args) => enter(machine, args.find((arg) => !/^-\w/.test(arg)) ?? '~');

const readInto: Act = (machine, args, fact) => {
	for (const arg of args) if (/^\w+$/.test(arg)) set(machine, arg, text(fact.input?.text ?? HOLE));
};

const readLines: Act = (machine, args) => set(machine, args.at(-1) ?? 'MAPFILE', [list([], text(HOLE))]);

/** Commands that change what later commands mean. */
const acts: Readonly<Record<string, Act>> = {
	cd: enterFolder,
	pushd: enterFolder,
	alias: (machine, args) => {
		for (const arg of args) define(machine, arg);
	},
	read: readInto,
	set: (machine, args) => positional(machine, args),
	printf: (machine, args) => {
		if (args[0] === '-v') set(machine, args[1] ?? '', outputOf(['printf', ...args.slice(2)], null) ?? unknown);
	},
	mapfile: readLines,
	readarray: readLines,
};

function act(machine: Machine, fact: CommandFact): void {
	const [name = '', ...args] = fact.argv;
	rowOf(acts, name)?.(machine, args, fact);
}

/** `set -- rm -rf /` fills `$1`, `$2`… */
function positional(machine: Machine, args: readonly string[]): void {
	const start = args.indexOf('--');
	if (start < 0) return;
	const words = args.slice(start + 1).map((word) => text(word));
	for (const [i, word] of words.slice(0, 9).entries()) set(machine, String(i + 1), word);
	set(machine, '@', [list(words)]);
}

function define(machine: Machine, definition: string): void {
	const [, name, meaning] = /^([^=]+)=(.*)$/s.exec(definition) ?? [];
	if (name !== undefined && meaning !== undefined) set(machine, `alias ${name}`, text(meaning));
}

function set(machine: Machine, name: string, values: Values): void {
	const owner = machine.scope.owner(name) ?? machine.scope.root;
	machine.assign(machine.scope.bindingFor(name), owner, values);
}

function enter(machine: Machine, folder: string): void {
	const target =
		folder.includes(HOLE) && !folder.startsWith('/') ? HOLE : normalisePath(joinPaths([folderOf(machine), folder]));
	set(machine, workingFolder, text(folder.startsWith('~') ? normalisePath(folder) : target));
}

const folderOf = (machine: Machine): string => textsOf(variable(machine, workingFolder) ?? text('/work'))[0] ?? '/work';

/** A relative file belongs to the folder in which the command runs. */
const inFolder = (machine: Machine, file: string): string =>
	/^[/~&]/.test(file) || /^-?\d*$/.test(file) || file.startsWith(HOLE) ? file : joinPaths([folderOf(machine), file]);

export function evaluatePipeline(machine: Machine, node: PipelineNode): Values {
	const outer = machine.pipe;
	const wasCaptured = machine.isCaptured;
	const from: string[][] = [];
	let output: Values = unknown;
	machine.isCaptured = true;
	node.stages.forEach((stage, i) => {
		spend(4 * from.length);
		if (i > 0) machine.pipe = { text: textsOf(output)[0] ?? null, from: [...from].reverse() };
		const first = machine.facts.length;
		output = machine.evaluate(machine, stage);
		from.push(...commandsSince(machine, first).slice(0, 8));
	});
	machine.isCaptured = wasCaptured;
	machine.pipe = outer;
	return output;
}

function commandsSince(machine: Machine, first: number): string[][] {
	spend(machine.facts.length - first);
	return machine.facts
		.slice(first)
		.flatMap((fact) => (fact.kind === 'command' && fact.argv.length > 0 ? [[...fact.argv]] : []));
}

/** A group shares its input; what it does to the folder stays inside. */
export function evaluateGroup(machine: Machine, node: GroupNode): Values {
	const outer = machine.pipe;
	const redirects = redirectsOf(machine, node.redirects);
	if (node.input) machine.pipe = inputOf(machine, node.input);
	if (redirects.length > 0) {
		const fact = {
			argv: [],
			wrappers: [],
			assignments: new Map(),
			folder: folderOf(machine),
			input: null,
			background: false,
		};
		machine.note({ kind: 'command', ...fact, redirects, span: node });
	}
	const output = bodyOutput(machine, node.body);
	machine.pipe = outer;
	return output;
}

function bodyOutput(machine: Machine, body: readonly Node[]): Values {
	const outputs = body.map((node) => machine.evaluate(machine, node));
	return outputs.length === 1 ? (outputs[0] as Values) : outputs.length === 0 ? text('') : text(HOLE);
}

function withoutLastLines(printed: string): string {
	let end = printed.length;
	while (printed[end - 1] === '\n') end--;
	return printed.slice(0, end);
}

export function evaluateOutput(machine: Machine, node: OutputNode): Values {
	const outer = machine.pipe;
	const wasCaptured = machine.isCaptured;
	machine.pipe = null;
	machine.isCaptured = true;
	const first = machine.facts.length;
	const output = bodyOutput(machine, node.body);
	machine.isCaptured = wasCaptured;
	machine.pipe = outer;
	if (node.file) {
		const from = commandsSince(machine, first);
		const file = `/dev/fd/${node.from + 10}`;
		machine.substituted.set(file, { text: textsOf(output)[0] ?? null, from });
		return text(file);
	}
	const trimmed = textsOf(output).map((one) => text(withoutLastLines(one)));
	return node.quoted ? joinAll(trimmed) : joinAll(trimmed.map((one) => text(blanked(textsOf(one)[0] ?? HOLE))));
}
