/** All rules in the order of the catalogue. */
import { bashExecutionRules } from './bash-execution.ts';
import { bashFileRules } from './bash-files.ts';
import { bashSystemRules } from './bash-system.ts';
import { importRules } from './imports.ts';
import { javaScriptRules } from './javascript.ts';
import { javaScriptFileRules } from './javascript-files.ts';
import { pythonExecutionRules } from './python-execution.ts';
import { pythonFileRules } from './python-files.ts';
import { pythonSystemRules } from './python-system.ts';
import type { Rule } from './rule.ts';
import { textRules } from './text.ts';

export const rules: readonly Rule[] = [
	...textRules,
	...importRules,
	...pythonExecutionRules,
	...pythonSystemRules,
	...pythonFileRules,
	...javaScriptRules,
	...javaScriptFileRules,
	...bashFileRules,
	...bashExecutionRules,
	...bashSystemRules,
];

export const ruleById: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.id, rule]));
