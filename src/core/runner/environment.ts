/** The whole environment of a command: what keeps programs quiet, what the profile says, a fixed search path, and what the job may add. Pure. */
import { delimiter } from 'node:path';
import { isForbiddenVariable } from '../../contract/environment.ts';
import { KnownError } from '../../contract/error.ts';
import { quietEnvironment, usualEnvironment } from '../../contract/quiet.ts';
import type { Profile } from './profile.ts';

/**
 * Nothing of the agent's own environment is in it. A job adds to what the profile says and changes nothing of it.
 * @param own what the backend itself must say (home folder, user)
 * @throws POLICY_DENIED for a name that nobody may bring, even if the policy let it through
 */
export function environmentFor(
	profile: Pick<Profile, 'env' | 'path'>,
	job: Readonly<Record<string, string>>,
	own: Readonly<Record<string, string>>,
): Record<string, string> {
	const forbidden = Object.keys(job).find(isForbiddenVariable);
	if (forbidden !== undefined)
		throw new KnownError('POLICY_DENIED', {
			why: `the variable ${forbidden.slice(0, 100)} cannot be set by whoever asks`,
			rule: 'environment/forbidden-variable',
		});
	return {
		...usualEnvironment,
		...job,
		...quietEnvironment,
		...own,
		...profile.env,
		PATH: profile.path.join(delimiter),
	};
}
