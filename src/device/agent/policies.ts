/** The policies that come with the agent, as text; a new agent starts with the read-only one. Pure. */
import developerPolicy from '../../../policies/developer.yaml';
import readOnlyPolicy from '../../../policies/read-only.yaml';
import strictPolicy from '../../../policies/strict.yaml';

export { readOnlyPolicy };

export const shippedPolicies: Readonly<Record<string, string>> = {
	'read-only': readOnlyPolicy,
	developer: developerPolicy,
	strict: strictPolicy,
};
