/** What the checker is told about the place where the code will run. Node parameters, flags and policy files share it. */
import { z } from 'zod';
import { severitySchema } from '../../contract/finding.ts';
import { networkSchema } from '../../contract/job.ts';
import { languageChoiceSchema } from '../../contract/language.ts';
import { limits } from '../../contract/limits.ts';

export const checkOptionsSchema = z.strictObject({
	language: languageChoiceSchema.default('auto'),
	network: networkSchema.default('none'),
	allowedImports: z
		.array(z.string())
		.optional()
		.describe('Absent: every module. []: no module. Filled: these modules only, each with its submodules.'),
	allowSubprocess: z.boolean().default(false).describe('Whether Python and JavaScript may start other programs.'),
	allowWorkers: z.boolean().default(false).describe('Whether JavaScript may start worker threads.'),
	writableRoots: z.array(z.string()).default(['/work', '/tmp']).describe('Folders a program may write to.'),
	readDeny: z.array(z.string()).default([]).describe('Further paths that a program must not read.'),
	severities: z
		.record(z.string(), z.union([severitySchema, z.literal('off')]))
		.default({})
		.describe('Other severities for single rules, by rule id.'),
	warnOnly: z.boolean().default(false).describe('true: every finding is a warning and nothing is blocked.'),
	onSyntaxError: severitySchema.default('block'),
	maxCodeLength: z.int().min(1).default(limits.codeCharacters.default),
});
export type CheckOptions = z.infer<typeof checkOptionsSchema>;
