/** Reads YAML as policies are written: what stands there is what is meant, and nothing stands for more than it is. Pure. */
import { parseDocument } from 'yaml';
import { KnownError } from '../../contract/error.ts';

/** A policy has room for this much; a longer text is none. */
const mostCharacters = 1024 * 1024;

export const invalidPolicy = (details: string): never => {
	throw new KnownError('POLICY_INVALID', { details });
};

/** @throws POLICY_INVALID */
export function readYaml(text: string): unknown {
	if (text.length > mostCharacters) return invalidPolicy(`it has more than ${mostCharacters} characters`);
	// No aliases: a few of them stand for millions of nodes. No merge keys, no tags.
	const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, merge: false });
	const [problem] = [...document.errors, ...document.warnings];
	if (problem) return invalidPolicy(problem.message.split('\n')[0] ?? 'it is no YAML');
	try {
		return document.toJS({ maxAliasCount: 0 });
	} catch {
		return invalidPolicy('YAML aliases are not allowed');
	}
}
