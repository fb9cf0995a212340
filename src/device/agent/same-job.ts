/** Whether two requests under one idempotency key ask for the same: everything counts but labels, which only say who asks. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { JobDraft } from '../../contract/device-job.ts';

/** As JSON keeps it, which is how a stored job comes back. */
function asked({ labels: _labels, idempotencyKey: _key, ...rest }: JobDraft): unknown {
	return JSON.parse(JSON.stringify(rest));
}

export const isSameJob = (one: JobDraft, other: JobDraft): boolean => isDeepStrictEqual(asked(one), asked(other));
