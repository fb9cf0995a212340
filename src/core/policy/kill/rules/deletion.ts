/** Deleting, moving away or opening to all what a system stands on. Pure. */
import type { Fact } from '../../../checker/facts.ts';
import { hasFlag, operands, type Started } from '../started.ts';
import { isTree, targetOf } from '../targets.ts';
import type { KillRule } from './rule.ts';

const isRecursive = (args: readonly string[]): boolean => hasFlag(args, 'rR', /^--r/);

const namesTree = ({ fact }: Started, words: readonly string[]): boolean =>
	words.some((word) => isTree(targetOf(word, fact.folder)));

/** Words that xargs adds, where they follow from the script. */
function added({ fact }: Started): string[] {
	if (!fact.wrappers.includes('xargs') || !fact.input) return [];
	const listed = fact.input.from.find(([name]) => name === 'find');
	if (listed) return selects(listed) ? [] : searched(listed.slice(1));
	return (fact.input.text ?? '').split(/\s+/).filter((word) => word !== '');
}

const deleters = /^(rm|srm|wipe|unlink|shred)$/;

function deletes(started: Started): boolean {
	const { name, args } = started;
	if (!deleters.test(name)) return false;
	if (args.some((arg) => /^--no-pre/.test(arg))) return true;
	return isRecursive(args) && namesTree(started, [...operands(args), ...added(started)]);
}

/** The folders in which find starts. */
function searched(args: readonly string[]): string[] {
	const first = args.findIndex((arg) => /^[-(!]/.test(arg) && !/^-[HLPO]/.test(arg));
	const folders = (first < 0 ? args : args.slice(0, first)).filter((arg) => !arg.startsWith('-'));
	return folders.length > 0 ? folders : ['.'];
}

/** It picks some of what is there, instead of taking all. */
const selects = (args: readonly string[]): boolean =>
	args.some((arg) =>
		/^-(i?name|i?path|i?regex|i?wholename|[acm]?(min|time)|newer.*|size|user|group|uid|gid|perm|empty|inum|samefile)$/.test(
			arg,
		),
	);

function searchesAndDeletes(started: Started): boolean {
	const { name, args } = started;
	if (name !== 'find' || selects(args)) return false;
	const acts = args.some(
		(arg, i) =>
			arg === '-delete' ||
			(/^-(exec|ok)(dir)?$/.test(arg) && /(^|\/)(rm|srm|shred|unlink|mv|chmod|chown)$/.test(args[i + 1] ?? '')),
	);
	return acts && namesTree(started, searched(args));
}

function replaces(started: Started): boolean {
	const { name, args } = started;
	const words = operands(args);
	if (name === 'rsync') return args.some((arg) => /^--del/.test(arg)) && namesTree(started, words.slice(-1));
	if (name === 'mv') return namesTree(started, words.slice(0, -1));
	const isOpening = /^(chmod|chown|chgrp|setfacl)$/.test(name) && isRecursive(args);
	return (
		isOpening &&
		namesTree(
			started,
			words.filter((word) => !/^\/(opt|srv|mnt|media)(\/|$)/.test(word)),
		)
	);
}

/** The same from Python and JavaScript. */
const removingCalls = /^(shutil\.rmtree|fs\.(rm|rmSync|rmdir|rmdirSync|promises\.rm)|fs\/promises\.rm|rimraf)$/;

function isRemovingCall(fact: Fact): boolean {
	if (fact.kind !== 'call' || !removingCalls.test(fact.path)) return false;
	const words = (fact.args[0] ?? []).flatMap((value) =>
		value.kind === 'text' || value.kind === 'path' ? [value.text] : [],
	);
	return words.some((word) => isTree(targetOf(word, '/work')));
}

export const deletionRules: readonly KillRule[] = [
	{
		name: 'delete-tree',
		what: 'delete, move away or open to all the root, a system tree or a home folder',
		command: (started) => deletes(started) || searchesAndDeletes(started) || replaces(started),
		fact: isRemovingCall,
	},
];
