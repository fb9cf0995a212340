/** The check policy of a command: a file, and what flags say on top of it. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { type CheckPolicyInput, checkPolicySchema } from '../contract/check-policy.ts';
import { KnownError } from '../contract/error.ts';
import { list, text, texts, type Values } from './flags.ts';

const invalid = (details: string) => new KnownError('CONFIG_INVALID', { details });

/** JSON is YAML, too. A file that says nothing changes nothing; one that cannot be read stops the command. */
function readFile(path: string): unknown {
	try {
		return parse(readFileSync(path, 'utf8')) ?? {};
	} catch (error) {
		throw invalid(`the check policy ${path} cannot be read: ${(error as Error).message}`);
	}
}

function severities(values: Values): CheckPolicyInput['severities'] {
	const pairs = texts(values, 'severity').map((typed) => {
		const [rule = '', severity, ...more] = typed.split('=');
		if (severity === undefined || more.length > 0) throw invalid(`--severity ${typed}: write RULE=block, warn or off`);
		return [rule, severity] as const;
	});
	return pairs.length === 0 ? undefined : (Object.fromEntries(pairs) as CheckPolicyInput['severities']);
}

const listOf = (values: Values, flag: string): string[] | undefined => {
	const typed = text(values, flag);
	return typed === undefined ? undefined : list(typed);
};

const whenGiven = <T>(name: keyof CheckPolicyInput, value: T | undefined) =>
	value === undefined ? {} : { [name]: value };

/** Throws CONFIG_INVALID: an unknown field or a wrong value never weakens the check in silence. */
export function checkPolicy(values: Values): z.infer<typeof checkPolicySchema> {
	const path = text(values, 'check-policy');
	const onTop = {
		...whenGiven('allowSubprocess', values['allow-subprocess'] === true || undefined),
		...whenGiven('allowWorkers', values['allow-workers'] === true || undefined),
		...whenGiven('warnOnly', values['warn-only'] === true || undefined),
		...whenGiven('writableRoots', listOf(values, 'writable')),
		...whenGiven('readDeny', listOf(values, 'read-deny')),
		...whenGiven('onSyntaxError', text(values, 'on-syntax-error')),
		...whenGiven('severities', severities(values)),
	};
	const file = path === undefined ? {} : readFile(path);
	const parsed = checkPolicySchema.safeParse(
		typeof file === 'object' && !Array.isArray(file) ? { ...file, ...onTop } : file,
	);
	if (parsed.success) return parsed.data;
	throw invalid(`the check policy: ${z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ')}`);
}
