/** What the checker is told about the place where the code will run. */
import { z } from 'zod';
import { checkPolicySchema } from '../../contract/check-policy.ts';
import { networkSchema } from '../../contract/job.ts';
import { languageChoiceSchema } from '../../contract/language.ts';
import { limits } from '../../contract/limits.ts';

export const checkOptionsSchema = z.strictObject({
	...checkPolicySchema.shape,
	language: languageChoiceSchema.default('auto'),
	network: networkSchema.default('none'),
	allowedImports: z
		.array(z.string())
		.optional()
		.describe('Absent: every module. []: no module. Filled: these modules only, each with its submodules.'),
	maxCodeLength: z.int().min(1).default(limits.codeCharacters.default),
});
export type CheckOptions = z.infer<typeof checkOptionsSchema>;
