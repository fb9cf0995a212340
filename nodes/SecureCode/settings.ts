/** What the author of the workflow allows: the node's parameters, each in the unit of the contract. */
import type { CheckPolicyInput } from '../../src/contract/check-policy.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { Network } from '../../src/contract/job.ts';
import { type LanguageChoice, languages } from '../../src/contract/language.ts';
import { fixedLimits, type LimitName, limits } from '../../src/contract/limits.ts';
import type { NodeContext } from '../shared/context.ts';
import { readExposedSecrets } from '../shared/exposed-secrets.ts';
import { hostList, splitList } from '../shared/lists.ts';
import { literal } from '../shared/literal.ts';
import { readCheckPolicy } from './check-policy.ts';
import { type FileSettings, readFileSettings } from './file-settings.ts';
import { megabyte, secondMs } from './parameters.ts';
import type { SecretSettings } from './secret-choice.ts';
import { readSessionSettings, type SessionSettings } from './session-settings.ts';

/** As in the contract, which brings more than a node needs at its start. */
const bundleName = /^[a-z0-9][a-z0-9_-]{0,40}$/;
const moduleName = /^@?[A-Za-z0-9_][A-Za-z0-9_./-]{0,100}$/;

export interface Settings {
	readonly language: LanguageChoice;
	readonly timeoutMs: number;
	readonly memoryBytes: number;
	readonly codeCharacters: number;
	readonly network: Network;
	/** Packages that programs find. */
	readonly bundle: string;
	/** Whether a program may begin in a sandbox that waits, and what is imported there ahead. */
	readonly isWarm: boolean;
	readonly preload: readonly string[];
	/** Absent: every module of the sandbox. []: no module. Filled: these only. */
	readonly allowedImports?: string[];
	readonly check: boolean;
	readonly checkPolicy: CheckPolicyInput;
	/** Absent: programs get no secrets. */
	readonly secrets?: SecretSettings;
	readonly files: FileSettings;
	/** Whether a chat that is streamed sees what a program prints, as it prints it. */
	readonly isStreamed: boolean;
	/** Absent: nothing is kept from one program to the next. */
	readonly session?: SessionSettings | undefined;
}

function readText(context: NodeContext, name: string, itemIndex: number, fallback: string): string {
	const value = literal(context, name, itemIndex, fallback);
	if (typeof value === 'string') return value;
	throw new KnownError('CONFIG_INVALID', { details: `the parameter "${name}" must be a text` });
}

/** The editor keeps numbers in their range; a workflow that was written by hand may not. */
function readLimit(context: NodeContext, name: string, itemIndex: number, limit: LimitName, unit: number): number {
	const row = limits[limit];
	const value = literal(context, name, itemIndex, row.default / unit);
	const amount = typeof value === 'number' ? Math.round(value * unit) : Number.NaN;
	if (amount >= row.floor && amount <= row.ceiling) return amount;
	const between = `${row.floor / unit} and ${row.ceiling / unit}`;
	throw new KnownError('CONFIG_INVALID', { details: `the parameter "${name}" must be a number between ${between}` });
}

/** Harmless and useful as an expression: the language may come with the data, and the model may choose it anyway. */
function readLanguage(context: NodeContext, itemIndex: number): LanguageChoice {
	const choices = ['auto', ...languages] as const;
	const value = context.getNodeParameter('language', itemIndex, 'auto');
	const choice = choices.find((language) => language === value);
	if (choice !== undefined) return choice;
	const details = `the parameter "language" must be one of ${choices.join(', ')}`;
	throw new KnownError('CONFIG_INVALID', { details });
}

function readNetwork(context: NodeContext, itemIndex: number): Network {
	const choice = readText(context, 'network', itemIndex, 'none');
	if (choice === 'none' || choice === 'full') return choice;
	if (choice === 'hosts')
		return hostList(readText(context, 'allowedHosts', itemIndex, ''), '"Allowed Hosts"', { ranges: true });
	throw new KnownError('CONFIG_INVALID', { details: 'the parameter "network" must be "none", "hosts" or "full"' });
}

function readBundle(context: NodeContext, itemIndex: number): string {
	const name = readText(context, 'bundle', itemIndex, 'default').trim() || 'none';
	if (bundleName.test(name)) return name;
	throw new KnownError('CONFIG_INVALID', { details: `the parameter "bundle" names no bundle: ${name.slice(0, 60)}` });
}

function readPreload(context: NodeContext, itemIndex: number): string[] {
	const modules = splitList(readText(context, 'preload', itemIndex, ''));
	const wrong = modules.find((name) => !moduleName.test(name));
	if (wrong === undefined && modules.length <= fixedLimits.preloadedModules) return modules;
	const fault =
		wrong === undefined ? `more than ${fixedLimits.preloadedModules} modules` : `no module: ${wrong.slice(0, 60)}`;
	throw new KnownError('CONFIG_INVALID', { details: `the parameter "preload" names ${fault}` });
}

function readAllowedImports(context: NodeContext, itemIndex: number): { allowedImports?: string[] } {
	const modules = splitList(readText(context, 'allowedImports', itemIndex, '*'));
	return modules.includes('*') ? {} : { allowedImports: modules };
}

function readSecrets(context: NodeContext, itemIndex: number): { secrets?: SecretSettings } {
	if (literal(context, 'useSecrets', itemIndex, false) !== true) return {};
	const mode = readText(context, 'secretsMode', itemIndex, 'onRequest');
	if (mode !== 'always' && mode !== 'onRequest')
		throw new KnownError('CONFIG_INVALID', {
			details: 'the parameter "secretsMode" must be "onRequest" or "always"',
		});
	const allowInline = literal(context, 'allowInlineSecrets', itemIndex, false) === true;
	return { secrets: { exposed: readExposedSecrets(context, itemIndex), mode, allowInline } };
}

export function readSettings(context: NodeContext, itemIndex: number): Settings {
	return {
		language: readLanguage(context, itemIndex),
		timeoutMs: readLimit(context, 'timeout', itemIndex, 'timeoutMs', secondMs),
		memoryBytes: readLimit(context, 'memory', itemIndex, 'memoryBytes', megabyte),
		codeCharacters: readLimit(context, 'maxCodeLength', itemIndex, 'codeCharacters', 1),
		network: readNetwork(context, itemIndex),
		bundle: readBundle(context, itemIndex),
		isWarm: literal(context, 'warmStarts', itemIndex, true) !== false,
		preload: readPreload(context, itemIndex),
		...readAllowedImports(context, itemIndex),
		check: literal(context, 'validateCode', itemIndex, true) !== false,
		checkPolicy: readCheckPolicy(context, itemIndex),
		...readSecrets(context, itemIndex),
		files: readFileSettings(context, itemIndex),
		session: readSessionSettings(context, itemIndex),
		isStreamed: literal(context, 'streamOutput', itemIndex, false) === true,
	};
}
