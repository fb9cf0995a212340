/** Every shipped program is tried on the examples that its entry carries. */
import { describe, expect, it } from 'vitest';
import { programFailure } from '../../../../../src/core/policy/examples.ts';
import { loadPolicy } from '../../../../../src/core/policy/load.ts';
import { shippedPrograms } from '../../../../../src/core/policy/programs/shipped/sets.ts';

const policy = loadPolicy(`
version: 1
name: shipped
profiles: { jail: {} }
paths: { read: [/], hide: [/etc/shadow, /etc/ssl/private, /root] }
environment: [LANG, "LC_*", TZ]
shipped: [${Object.keys(shippedPrograms).join(', ')}]
capabilities: { shell.run: { profile: jail, programs: "*" } }
`);

describe('a shipped program', () => {
	it.each([...policy.programs.values()].map((program) => [program.name, program] as const))('%s', (_name, program) => {
		expect(programFailure(policy, program)).toBeUndefined();
	});
});
