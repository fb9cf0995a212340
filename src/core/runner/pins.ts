/** Starts nothing in place of a program that the policy knows by its content. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { KnownError } from '../../contract/error.ts';
import type { CommandPlan } from '../../contract/policy.ts';

async function hashOf(path: string): Promise<string> {
	const hash = createHash('sha256');
	await pipeline(createReadStream(path), hash);
	return hash.digest('hex');
}

/** @throws POLICY_DENIED for a file that is not there or another one */
export async function checkPins({ pins = [] }: Pick<CommandPlan, 'pins'>): Promise<void> {
	for (const { path, sha256 } of pins) {
		const found = await hashOf(path).catch(() => undefined);
		if (found !== sha256)
			throw new KnownError('POLICY_DENIED', {
				why: `${path} is not the program that the policy knows by its content`,
				rule: 'program/pinned',
			});
	}
}
