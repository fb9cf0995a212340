/** What the static checker says about a program. */
import { z } from 'zod';

export const severitySchema = z
	.enum(['block', 'warn'])
	.describe('block: the program is not run. warn: it is run and told.');
export type Severity = z.infer<typeof severitySchema>;

/** Lines and columns are 1-based and count in the text as it was sent, columns in UTF-16 units. */
export const findingSchema = z.strictObject({
	ruleId: z.string().describe('The rule that objects, for example PY-EXEC.'),
	cwe: z.string().nullable().describe('The weakness behind the rule, for example CWE-78.'),
	severity: severitySchema,
	line: z.int().min(1),
	column: z.int().min(1),
	endLine: z.int().min(1),
	endColumn: z.int().min(1),
	source: z.string().describe('The text of the line.'),
	found: z.string().describe('The construct as it is written.'),
	resolved: z.string().nullable().describe('What it really is once names, aliases and constants are resolved.'),
	message: z.string().describe('What it is and why it is refused here.'),
	fix: z.string().describe('A replacement that works in this configuration, written as code where possible.'),
});
export type Finding = z.infer<typeof findingSchema>;

/** clean: nothing found. suspicious: warnings only. forbidden: at least one finding blocks. */
export const verdictSchema = z.enum(['clean', 'suspicious', 'forbidden']);
export type Verdict = z.infer<typeof verdictSchema>;
