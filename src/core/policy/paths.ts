/** Which paths a command may name. Lexical: links are the jail's job, which mounts only what the policy shows. Pure. */

import { anyName, mayBeSame } from './wildcards.ts';

export type Access = 'read' | 'write';

export interface PathRules {
	readonly read: readonly string[];
	readonly write: readonly string[];
	readonly hide: readonly string[];
	/** Folder of the agent and the like; nobody may name them. */
	readonly own: readonly string[];
	/** What the job itself confines itself to; absent: all that is open. */
	readonly within?: readonly string[] | undefined;
}

/** workspace: the folder of the job, wherever it lies. A name may hold `anyName`. */
export interface Place {
	readonly base: 'workspace' | '/';
	readonly names: readonly string[];
}

export const workspace: Place = { base: 'workspace', names: [] };

/** The workspace as the jail calls it. */
const workspacePath = '/work';
/** Of the jail itself, gone with the job. */
const scratchPaths = ['/tmp', '/dev/shm'];
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'stdin', 'stdout', 'stderr', 'tty'];

/** ".*" and the like, which may be "..". */
const mayBeParent = (name: string): boolean => name.includes(anyName) && /^\.\.?$/.test(name.replaceAll(anyName, ''));

/** @returns undefined when it leads out of the workspace, or to nobody knows where */
export function placeAt(from: Place, path: string): Place | undefined {
	const { base, names: start } = path.startsWith('/') ? { base: '/' as const, names: [] } : from;
	const names = [...start];
	for (const name of path.split('/')) {
		if (name === '' || name === '.') continue;
		if (mayBeParent(name)) return undefined;
		if (name !== '..') names.push(name);
		else if (names.pop() === undefined && base === 'workspace') return undefined;
	}
	return { base, names };
}

/** Why a place must not be touched; undefined when it may be. */
export function objectionTo(rules: PathRules, { base, names }: Place, access: Access): string | undefined {
	if (base === 'workspace') return undefined;
	const path = shownPath(names);
	if (rules.own.some((own) => mayCover(partsOf(own), names))) return `${path} belongs to the agent itself`;
	if (isOpen(names)) return undefined;
	if (rules.hide.some((hidden) => mayCover(partsOf(hidden), names))) return `${path} is hidden`;
	if (rules.within && !rules.within.some((prefix) => covers(partsOf(prefix), names)))
		return `${path} is not below the paths that the job was confined to`;
	const open = access === 'read' ? [...rules.read, ...rules.write] : rules.write;
	if (open.some((prefix) => opens(prefix, names))) return undefined;
	return `${path} is not among the paths that may be ${access === 'read' ? 'read' : 'written'}`;
}

/** Files that programs read as settings, some of which are commands. A dot hides them where jobs and their programs feel at home. */
export function isSettings({ base, names }: Place): boolean {
	if (names.includes('.git')) return true;
	const isHome = base === 'workspace' || [workspacePath, ...scratchPaths].some((path) => covers(partsOf(path), names));
	return isHome && names.some((name) => name.startsWith('.'));
}

/** "/etc/." is the folder itself, and nothing below it. */
function opens(prefix: string, names: readonly string[]): boolean {
	const parts = partsOf(prefix);
	const isItself = parts.at(-1) === '.';
	return isItself ? names.length === parts.length - 1 && covers(parts.slice(0, -1), names) : covers(parts, names);
}

export const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

/** What every job has. */
function isOpen(names: readonly string[]): boolean {
	if ([workspacePath, ...scratchPaths].some((path) => covers(partsOf(path), names))) return true;
	const [first, second = '', third = ''] = names;
	if (first !== 'dev') return false;
	return names.length === 2 ? devices.includes(second) : names.length === 3 && second === 'fd' && /^\d$/.test(third);
}

function shownPath(names: readonly string[]): string {
	const path = `/${names.join('/').replaceAll(anyName, '*')}`;
	return path.length > 120 ? `${path.slice(0, 120)}…` : path;
}

/** Whether a prefix covers all that the names may stand for. */
function covers(parts: readonly string[], names: readonly string[]): boolean {
	const [part, ...others] = parts;
	if (part === undefined) return true;
	if (part === '**') return names.some((_, i) => covers(others, names.slice(i)));
	const [name, ...rest] = names;
	if (name === undefined) return false;
	const fits = part === '*' || (!name.includes(anyName) && mayBeSame(part, name));
	return fits && covers(others, rest);
}

/** Whether a prefix covers something that the names may stand for. */
export function mayCover(parts: readonly string[], names: readonly string[]): boolean {
	const [part, ...others] = parts;
	if (part === undefined) return true;
	// A wildcard alone is everything, and names nothing that could lie anywhere.
	if (part === '**') return names.some((name, i) => name !== anyName && mayCover(others, names.slice(i)));
	const [name, ...rest] = names;
	return name !== undefined && mayBeSame(part, name) && mayCover(others, rest);
}
