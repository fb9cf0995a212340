/** The policy that a new agent starts with, as text. Pure. */

/** Replaced by policies/read-only.yaml as soon as it is there. */
export const readOnlyPolicy = 'version: 1\nname: none\nprofiles: {}\ncapabilities: {}\n';
