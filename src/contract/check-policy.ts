/** What an author may change about the static check. Node parameters, flags, job lines and policy files share it. */
import { z } from 'zod';
import { severitySchema } from './finding.ts';

/** Rule ids as docs/checker.md lists them, for example PY-EXEC. */
const ruleIdSchema = z.string().regex(/^[A-Z]+(-[A-Z]+)*$/, 'is not the id of a rule');

export const checkPolicySchema = z.strictObject({
	allowSubprocess: z.boolean().default(false).describe('Whether Python and JavaScript may start other programs.'),
	allowWorkers: z.boolean().default(false).describe('Whether JavaScript may start worker threads.'),
	writableRoots: z.array(z.string()).default(['/work', '/tmp']).describe('Folders a program may write to.'),
	readDeny: z.array(z.string()).default([]).describe('Further paths that a program must not read.'),
	severities: z
		.record(ruleIdSchema, z.union([severitySchema, z.literal('off')]))
		.default({})
		.describe('Other severities for single rules, by rule id.'),
	warnOnly: z.boolean().default(false).describe('true: every finding is a warning and nothing is blocked.'),
	onSyntaxError: severitySchema.default('block').describe('What a program is that its parser does not understand.'),
});
export type CheckPolicyInput = z.input<typeof checkPolicySchema>;
