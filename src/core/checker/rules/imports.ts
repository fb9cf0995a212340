/** The allowlist of modules. It counts after all resolution, so that a module reached through another one obeys it too. */

import type { Fact } from '../facts.ts';
import { rowOf } from '../values/value.ts';
import type { Objection, Rule, RuleContext } from './rule.ts';

/** Names under which people know packages, and the modules that they bring. */
const moduleNames: Readonly<Record<string, string>> = {
	pillow: 'PIL',
	'opencv-python': 'cv2',
	beautifulsoup4: 'bs4',
	pyyaml: 'yaml',
	'scikit-learn': 'sklearn',
	'scikit-image': 'skimage',
	'python-dateutil': 'dateutil',
	'python-dotenv': 'dotenv',
	'msgpack-python': 'msgpack',
};

const allowedNames = (options: RuleContext['options']): string[] =>
	(options.allowedImports ?? []).map((name) => rowOf(moduleNames, name.toLowerCase()) ?? name.replace(/^node:/, ''));

const isAllowed = (module: string, allowed: readonly string[]): boolean =>
	allowed.some((name) => module === name || module.startsWith(`${name}.`) || module.startsWith(`${name}/`));

function objection(module: string, options: RuleContext['options']): Objection {
	const allowed = allowedNames(options);
	const fix =
		allowed.length > 0
			? `Use only: ${allowed.slice(0, 12).join(', ')}.`
			: 'No module may be imported here; use what the language has without imports.';
	return { resolved: module, reason: 'the module is not on the list of allowed imports', fix };
}

/** A module that no statement imports was reached through another one. */
function reached(fact: Fact, { imported }: RuleContext): string | null {
	if (fact.kind !== 'reference' || fact.path.includes('()')) return null;
	const root = fact.path.split('.')[0] as string;
	return root === 'builtins' || root === 'globalThis' || imported.has(root) ? null : root;
}

const judge = (fact: Fact, context: RuleContext): Objection[] => {
	const { options, language } = context;
	if (options.allowedImports === undefined) return [];
	const named = fact.kind === 'import' ? fact.module.replace(/^node:/, '') : reached(fact, context);
	if (named === null || named.startsWith('.') || named.startsWith('/') || named === '__future__') return [];
	return isAllowed(named, allowedNames(options)) || language === 'bash' ? [] : [objection(named, options)];
};

const summary = 'The module is not on the list of allowed imports.';

export const importRules: readonly Rule[] = [
	{
		id: 'PY-IMPORT',
		cwe: 'CWE-829',
		severity: 'block',
		language: 'python',
		summary,
		dependsOn: ['allowedImports'],
		judge,
		denies: { code: 'import glob\nprint(glob.os.sep)', options: { allowedImports: ['glob'] } },
		allows: { code: 'import os.path', options: { allowedImports: ['os'] } },
	},
	{
		id: 'JS-IMPORT',
		cwe: 'CWE-829',
		severity: 'block',
		language: 'javascript',
		summary,
		dependsOn: ['allowedImports'],
		judge,
		denies: { code: "const fs = require('fs');", options: { allowedImports: ['path'] } },
		allows: { code: "import { join } from 'node:path';", options: { allowedImports: ['path'] } },
	},
];
