/** Tells a model whose program found no module which bundle has it, or which package would bring it. Pure. */
import { problemFor } from '../contract/error.ts';
import type { JobResult, Problem } from '../contract/job.ts';
import { hopeless, packageOf, sharedRoots } from './module-packages.ts';

type PackageLanguage = 'python' | 'javascript';

/** What a program could not import. */
export interface Missing {
	/** As a program imports it. */
	readonly module: string;
	/** What has to be there for it: the package of npm, the first name of a module of Python. */
	readonly root: string;
	/** Whether it is known that the root is there, and only this part of it is not. */
	readonly isPart: boolean;
}

const pythonPattern = /^ModuleNotFoundError: No module named '([A-Za-z_][\w.]*)/m;
const nodePattern = /Cannot find (?:module|package) '((?:@[\w.-]+\/)?[\w-][\w.-]*)((?:\/[\w.@-]+)*)/;

/** Libraries that do without a package until it is needed say so in words of their own. */
const optionalPatterns = [
	/Missing optional dependency '([A-Za-z][\w.-]*)'/,
	/`Import ([A-Za-z][\w.-]*)` failed/,
	/accessor requires ([A-Za-z][\w-]*)/,
	/requires? (?:the )?([A-Za-z][\w.-]*) package\b/,
	/pip install (?:-U |--upgrade )?["'`]?([A-Za-z][\w.-]*\w)/,
];

/** The last error, with all of its words. */
const lastError = (stderr: string): string => {
	const starts = [...stderr.matchAll(/^[\w.]*(?:Error|Exception)\b:/gm)];
	return stderr.slice(starts.at(-1)?.index ?? stderr.length);
};

/** Python names the first part that is missing; where several packages share it, the line of the program says which one is meant. */
function wantedBelow(root: string, stderr: string): string | undefined {
	const lines = stderr.matchAll(/^\s*(?:from ([\w.]+) import (\w+)|import ([\w.]+))/gm);
	const names = [...lines].map(([, from, part, whole]) => whole ?? `${from}.${part}`);
	return names.findLast((name) => name.startsWith(`${root}.`));
}

/** A name with a dot means that what stands before it was found. */
function missingInPython(stderr: string): Missing | undefined {
	const named = pythonPattern.exec(stderr)?.[1];
	if (named !== undefined) {
		const root = named.split('.')[0] ?? named;
		if (!sharedRoots.has(root)) return { module: named, root, isPart: named !== root };
		return { module: wantedBelow(root, stderr) ?? named, root, isPart: false };
	}
	const error = lastError(stderr);
	const optional = optionalPatterns.map((pattern) => pattern.exec(error)?.[1]).find((name) => name !== undefined);
	const module = optional?.toLowerCase();
	return module === undefined ? undefined : { module, root: module, isPart: false };
}

function missingInNode(stderr: string): Missing | undefined {
	const [, root, part = ''] = nodePattern.exec(stderr) ?? [];
	return root === undefined ? undefined : { module: root + part, root, isPart: false };
}

/** Undefined when the program did not fail for want of a module. */
export function missingModule(language: string | null, stderr: string): Missing | undefined {
	const end = stderr.slice(-8_192);
	if (language === 'python') return missingInPython(end);
	return language === 'javascript' ? missingInNode(end) : undefined;
}

/** The packages of this host. */
export interface Installed {
	/** The bundle of the program, and what can be imported of it. */
	readonly bundle: string;
	readonly modules: readonly string[];
	/** Which bundles of this host have a module. */
	readonly bundlesWith: (language: PackageLanguage, module: string) => readonly string[];
}

function inAnotherBundle(bundles: readonly string[]): string {
	const names = bundles.map((name) => `"${name}"`).join(' or ');
	return `The bundle ${names} has it: the author can choose it in the node ("Packages") or with --bundle.`;
}

function remedyFor(language: PackageLanguage, { module, root }: Missing, installed: Installed): string {
	const why = language === 'python' ? hopeless(module) : undefined;
	if (why !== undefined) return `It cannot be added: ${why}.`;
	const isShared = language === 'python' && sharedRoots.has(root);
	const others = isShared ? [] : installed.bundlesWith(language, root);
	const bundles = others.filter((name) => name !== installed.bundle);
	if (bundles.length > 0) return inAnotherBundle(bundles);
	const known = packageOf(language, language === 'python' ? module : root);
	const flag = language === 'javascript' ? ' --language javascript' : '';
	if (known !== undefined) return `The operator can add it: secure-code packages add${flag} ${known}.`;
	const guess = isShared ? module.replaceAll('.', '-') : root;
	return `A package that provides it is often called "${guess}"; whoever adds it should look it up first, because anybody can publish a package under a name that is only guessed.`;
}

function problemOf(language: PackageLanguage, missing: Missing, installed: Installed): Problem {
	const { module, root, isPart } = missing;
	if (isPart || (module !== root && !sharedRoots.has(root) && installed.modules.includes(root)))
		return problemFor('MODULE_PART_MISSING', { module, package: root });
	return problemFor('MODULE_MISSING', { module, remedy: remedyFor(language, missing, installed) });
}

export function explainMissingModule(result: JobResult, installed: Installed): JobResult {
	const missing =
		result.status === 'failed' && result.problem === null ? missingModule(result.language, result.stderr) : undefined;
	if (missing === undefined) return result;
	return { ...result, problem: problemOf(result.language as PackageLanguage, missing, installed) };
}
