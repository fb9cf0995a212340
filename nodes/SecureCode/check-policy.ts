/** What the author changed about the check, in the shape of the contract; a value that does not fit is the author's to mend. */
import type { CheckPolicyInput } from '../../src/contract/check-policy.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import { splitList } from '../shared/lists.ts';
import { literal } from '../shared/literal.ts';

const invalid = (option: string, expected: string) =>
	new KnownError('CONFIG_INVALID', { details: `the validation option "${option}" must be ${expected}` });

type Options = Readonly<Record<string, unknown>>;

function readSeverities(text: unknown): NonNullable<CheckPolicyInput['severities']> {
	const entries = splitList(String(text)).map((entry) => {
		const [, rule, severity] = /^([A-Z]+(?:-[A-Z]+)*)\s*=\s*(block|warn|off)$/.exec(entry) ?? [];
		if (!rule || !severity) throw invalid('Rule Severities', 'a list such as PY-DESER=warn, BASH-PRIV=off');
		return [rule, severity as 'block' | 'warn' | 'off'] as const;
	});
	return Object.fromEntries(entries);
}

function readChoice(value: unknown, option: string): 'block' | 'warn' {
	if (value === 'block' || value === 'warn') return value;
	throw invalid(option, '"block" or "warn"');
}

const readers: Readonly<Record<string, (value: unknown) => CheckPolicyInput>> = {
	allowSubprocess: (value) => ({ allowSubprocess: value === true }),
	allowWorkers: (value) => ({ allowWorkers: value === true }),
	readDeny: (value) => ({ readDeny: splitList(String(value)) }),
	severities: (value) => ({ severities: readSeverities(value) }),
	onSyntaxError: (value) => ({ onSyntaxError: readChoice(value, 'Syntax Errors') }),
	findings: (value) => ({ warnOnly: readChoice(value, 'What Findings Do') === 'warn' }),
	writableRoots: (value) => ({ writableRoots: splitList(String(value)) }),
};

export function readCheckPolicy(context: NodeContext, itemIndex: number): CheckPolicyInput {
	const options = literal(context, 'validationOptions', itemIndex, {}) as Options;
	const parts = Object.entries(options).map(([name, value]) => {
		const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
		if (!reader) throw invalid(name, 'one of the options of this node');
		return reader(value);
	});
	return Object.assign({}, ...parts);
}
