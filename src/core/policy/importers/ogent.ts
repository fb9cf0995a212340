/** Imports `allowed_commands.json` of Ogent's command execution service. Pure. */
import { z } from 'zod';
import { mayCover, partsOf } from '../paths.ts';
import { invalidPolicy } from '../read-yaml.ts';
import { Draft, type Imported } from './imported.ts';

const fileSchema = z.strictObject({ commands: z.array(z.string().min(1)), paths: z.array(z.string().regex(/^\//)) });

/** @throws POLICY_INVALID for a file that is not whole: it is no reason to fall back to a list of somebody else */
export function importOgent(text: string, base: string): Imported {
	const { commands, paths } = parsed(text);
	const draft = new Draft(base, 'ogent');
	const programs = draft.allow(commands);
	// What the operator opened is not hidden by a list that he did not write.
	const hidden = draft.paths.hide.filter((hide) => !paths.some((path) => mayCover(partsOf(hide), partsOf(path))));
	draft.set('paths', { read: paths, write: [], hide: hidden });
	if (paths.length > 0)
		draft.notes.push(
			'paths: they may be read; to be written, "write" and a writable mount of the profile must name them',
		);
	draft.addCapability('shell.run.ogent', { programs, otherwise: 'ask', unlisted: 'deny' });
	draft.addCapability('shell.run', { like: 'shell.run.ogent' });
	return draft.finish();
}

function parsed(text: string): z.infer<typeof fileSchema> {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return invalidPolicy('allowed_commands.json is no JSON');
	}
	const result = fileSchema.safeParse(value);
	return result.success
		? result.data
		: invalidPolicy(`allowed_commands.json: ${z.prettifyError(result.error).split('\n')[0]}`);
}
