/** What shell.eval forbids beyond the rest: device_agent promises its callers a list that nobody can approve away. Pure. */
import type { KillRule } from './rule.ts';

/** Of the capability itself, and of those with a label. */
export const isEvaluation = (capability: string): boolean => /^shell\.eval(\.|$)/.test(capability);

export const evaluationRules: readonly KillRule[] = [
	{
		name: 'raw-copy',
		what: 'copy with dd from a file that it names',
		command: ({ name, args }) => name === 'dd' && args.some((arg) => /^if=/i.test(arg)),
	},
];
