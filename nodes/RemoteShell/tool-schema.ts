/** The arguments a model is offered: a command and the name of a device, nothing that widens what the author set. */
import type { ZodTypeAny } from 'zod/v3';
import type { Zod } from '../shared/host.ts';
import { normaliseCall } from './model-arguments.ts';
import type { ToolOperation } from './operations.ts';
import type { Settings } from './settings.ts';

/** More names than this are told in the description alone. */
const mostNames = 50;

function deviceOf(z: Zod, { devices, allowsMany }: Settings) {
	const names = [...devices.keys()];
	const choices = allowsMany ? [...names, '*'] : names;
	const [first, ...rest] = choices;
	const one = first !== undefined && choices.length <= mostNames ? z.enum([first, ...rest]) : z.string();
	const device = allowsMany
		? z.array(one).min(1).describe('Names of devices; "*" is all of them.')
		: one.describe('Name of the device.');
	return names.length === 1 ? device.optional() : device;
}

const runOf = (z: Zod, settings: Settings) =>
	z
		.object({
			script: z.string().optional().describe('The command line or script, as in a shell. Give this or "argv".'),
			argv: z
				.array(z.string())
				.optional()
				.describe('The program and its arguments, one text each, without a shell. Give this or "script".'),
			[settings.allowsMany ? 'devices' : 'device']: deviceOf(z, settings),
		})
		.strict();

const jobOf = (z: Zod, settings: Settings) => ({
	jobId: z.string().min(1).describe('"jobId" of the result of a command.'),
	device: deviceOf(z, { ...settings, allowsMany: false }),
});

const readOf = (z: Zod, settings: Settings) =>
	z
		.object({
			...jobOf(z, settings),
			stream: z.enum(['stdout', 'stderr']).optional(),
			offset: z.number().int().min(0).optional().describe('Where to begin; hand "nextOffset" of the last page back.'),
			limit: z.number().int().min(1).optional().describe('Bytes to read.'),
			tail: z.number().int().min(1).optional().describe('In place of an offset: the last lines.'),
			search: z.string().optional().describe('In place of an offset: lines that match this pattern (RE2).'),
		})
		.strict();

function offeredCall(z: Zod, settings: Settings, operation: ToolOperation): ZodTypeAny {
	if (operation === 'run') return runOf(z, settings);
	return operation === 'readOutput' ? readOf(z, settings) : z.object(jobOf(z, settings)).strict();
}

/** Strict in what it offers, forgiving in what it lets through: `parseRun` and `parseJob` answer what a model can repair. */
export function toolSchema(z: Zod, settings: Settings, operation: ToolOperation) {
	return z.preprocess(
		(raw, context) => {
			if (raw === undefined) context.addIssue({ code: 'custom', message: 'The call has no arguments' });
			return normaliseCall(raw);
		},
		offeredCall(z, settings, operation).catch(({ input }: { input: unknown }) => input),
	);
}
