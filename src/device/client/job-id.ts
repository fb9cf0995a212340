/** An id that the caller chooses: a retry of the same action has the same one, which our agent runs once. Pure. */
import { createHash } from 'node:crypto';
import type { RemoteCommand } from '../../contract/remote.ts';

/** An original would run it twice, and has nothing against it. */
export const jobIdFor = ({ idempotencyKey, command }: RemoteCommand): string =>
	`rs-${createHash('sha256')
		.update(JSON.stringify([idempotencyKey, command]))
		.digest('hex')
		.slice(0, 32)}`;
