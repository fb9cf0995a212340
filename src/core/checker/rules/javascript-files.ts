/** Rules about the files that a JavaScript program writes, deletes and reads: which argument of which call is a path. */
import type { Fact } from '../facts.ts';
import { HOLE, numbersOf, rowOf, textsOf } from '../values/value.ts';
import { placeOf, readObjections, writeObjections } from './paths.ts';
import type { Objection, Rule, RuleContext } from './rule.ts';

interface Effect {
	readonly verb: string;
	readonly writes: readonly number[];
	readonly reads: readonly number[];
}

const effect = (verb: string, writes: readonly number[], reads: readonly number[] = []): Effect => ({
	verb,
	writes,
	reads,
});

const effects: Readonly<Record<string, Effect>> = {
	writeFile: effect('writes', [0]),
	appendFile: effect('writes', [0]),
	createWriteStream: effect('writes', [0]),
	mkdir: effect('writes', [0]),
	mkdtemp: effect('writes', [0]),
	truncate: effect('changes', [0]),
	unlink: effect('deletes', [0]),
	rm: effect('deletes', [0]),
	rmdir: effect('deletes', [0]),
	remove: effect('deletes', [0]),
	emptyDir: effect('deletes', [0]),
	outputFile: effect('writes', [0]),
	rename: effect('moves', [0, 1]),
	move: effect('moves', [0, 1]),
	copyFile: effect('writes', [1], [0]),
	cp: effect('writes', [1], [0]),
	copy: effect('writes', [1], [0]),
	symlink: effect('links', [1], [0]),
	link: effect('links', [1], [0]),
	chmod: effect('changes', [0]),
	chown: effect('changes', [0]),
	lchown: effect('changes', [0]),
	utimes: effect('changes', [0]),
	readFile: effect('reads', [], [0]),
	createReadStream: effect('reads', [], [0]),
	readdir: effect('reads', [], [0]),
	opendir: effect('reads', [], [0]),
	readlink: effect('reads', [], [0]),
	watch: effect('watches', [], [0]),
};

/** `fs.writeFileSync` and `fs/promises.writeFile` are the same thing. */
function effectOf(path: string): Effect | undefined {
	const method = /^(?:fs|fs\/promises|fs-extra|graceful-fs|globalThis\.Deno|rimraf|del)(?:\.(\w+?)(?:Sync)?)?$/.exec(
		path,
	);
	if (!method) return undefined;
	const name = method[1] ?? 'rm';
	return rowOf(effects, name);
}

function textsAt(fact: Extract<Fact, { kind: 'call' }>, places: readonly number[] = []): string[] {
	return places.flatMap((place) => textsOf(fact.args[place] ?? [])).filter((text) => text !== HOLE);
}

const isOpen = (path: string): boolean => /^(fs|fs\/promises)\.open(Sync)?$/.test(path);
const flagsOf = (fact: Extract<Fact, { kind: 'call' }>): string => textsOf(fact.args[1] ?? [])[0] ?? HOLE;

function written(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'call') return [];
	if (isOpen(fact.path))
		return /[wax+]/.test(flagsOf(fact))
			? textsAt(fact, [0]).flatMap((path) => writeObjections('writes', path, options))
			: [];
	const found = effectOf(fact.path);
	const objections = textsAt(fact, found?.writes).flatMap((path) =>
		writeObjections(found?.verb ?? 'writes', path, options),
	);
	return [...objections, ...openToAll(fact, options)];
}

/** `chmod(path, 0o777)` lets everybody write. */
function openToAll(fact: Extract<Fact, { kind: 'call' }>, options: RuleContext['options']): Objection[] {
	if (!/^(fs|fs\/promises)\.l?chmod(Sync)?$/.test(fact.path)) return [];
	const modes = [
		...numbersOf(fact.args[1] ?? []),
		...textsOf(fact.args[1] ?? []).map((text) => Number.parseInt(text, 8)),
	];
	if (!modes.some((mode) => (mode & 0o002) !== 0)) return [];
	const isInside = textsAt(fact, [0]).some((path) => placeOf(path, options) === 'allowed');
	return [
		{
			...(isInside ? { severity: 'warn' as const } : {}),
			resolved: fact.path,
			reason: 'it lets everybody write the file',
			fix: 'Use 0o644, or 0o755 for a program.',
		},
	];
}

function readFrom(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'call') return [];
	const places = isOpen(fact.path) ? [0] : effectOf(fact.path)?.reads;
	return textsAt(fact, places).flatMap((path) => readObjections(path, options, true));
}

export const javaScriptFileRules: readonly Rule[] = [
	{
		id: 'JS-FSWRITE',
		cwe: 'CWE-22',
		severity: 'block',
		language: 'javascript',
		summary: 'Writes, moves or deletes files outside the writable folders, or makes files writable for everybody.',
		dependsOn: ['writableRoots'],
		judge: written,
		denies: { code: "import { rm } from 'node:fs/promises';\nawait rm('/etc/hosts');" },
		allows: { code: "require('fs').writeFileSync('/work/out.json', '{}');" },
	},
	{
		id: 'JS-FSREAD',
		cwe: 'CWE-200',
		severity: 'block',
		language: 'javascript',
		summary: 'Reads accounts, keys, logs of the system or other processes.',
		dependsOn: ['readDeny'],
		judge: readFrom,
		denies: { code: "require('fs').readFileSync('/etc/' + 'shadow');" },
		allows: { code: "require('fs').readFileSync('/work/in/data.json', 'utf8');" },
	},
];
