/** The policies that come with the agent, as text; a new one starts with the first. Pure. */
import readOnlyPolicy from '../../../policies/read-only.yaml';

export { readOnlyPolicy };
