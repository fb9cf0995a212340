/** The arguments a model is offered. */
import { languages } from '../../src/contract/language.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Zod } from '../shared/host.ts';
import { normaliseCall } from './model-arguments.ts';
import { megabyte, secondMs } from './parameters.ts';
import type { Settings } from './settings.ts';

const offeredCredentials = (z: Zod, allowInline: boolean) =>
	z
		.array(
			z.object({
				name: z.string().optional().describe('Name of a secret from the description of this tool.'),
				envVarName: z.string().optional().describe('The environment variable, when it should have another name.'),
				credentialName: z.string().optional().describe('In place of "name": a name, or a handle of a vault tool.'),
				...(allowInline ? { value: z.string().optional().describe('In place of a name: the value itself.') } : {}),
			}),
		)
		.optional()
		.describe('Secrets that the program needs as environment variables.');

const offeredFiles = (z: Zod) =>
	z
		.array(
			z.object({
				name: z.string().describe('Name of a file from the description of this tool, or of one that you write.'),
				content: z.string().optional().describe('Text of a file that you write.'),
			}),
		)
		.optional()
		.describe('Files that the program finds in /work/in.');

const offeredCall = (z: Zod, { codeCharacters, timeoutMs, memoryBytes, secrets, files }: Settings) =>
	z
		.object({
			code: z.string().min(1).max(codeCharacters).describe('The whole program. Print what you want to see.'),
			language: z
				.enum(['auto', ...languages])
				.optional()
				.describe('The language of the code; recognised when left out.'),
			maxTime: z
				.number()
				.min(limits.timeoutMs.floor / secondMs)
				.max(timeoutMs / secondMs)
				.optional()
				.describe('Stop the program after this many seconds.'),
			maxMemory: z
				.number()
				.min(limits.memoryBytes.floor / megabyte)
				.max(memoryBytes / megabyte)
				.optional()
				.describe('Stop the program when it needs more than this many MB.'),
			...(secrets === undefined ? {} : { credentials: offeredCredentials(z, secrets.allowInline) }),
			...(files.from === 'none' ? {} : { files: offeredFiles(z) }),
		})
		.strict();

/**
 * Offers a strict schema but lets every call through: a call that fails the schema would fail the whole workflow in some
 * agents, where the answer of `parseCall` lets the model repair it. `undefined` stays refused, because the human-review gate
 * asks that way whether arguments are required.
 */
export function toolSchema(z: Zod, settings: Settings) {
	return z.preprocess(
		(raw, context) => {
			if (raw === undefined) context.addIssue({ code: 'custom', message: 'The call has no arguments' });
			return normaliseCall(raw);
		},
		offeredCall(z, settings).catch(({ input }) => input),
	);
}
