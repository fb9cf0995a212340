/** The policies that are shipped hold, and say what they promise. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../../src/core/policy/load.ts';

const names = readdirSync('policies').filter((name) => name.endsWith('.yaml'));

describe('a shipped policy', () => {
	it.each(names)('%s holds, with all its examples', (name) => {
		const policy = loadPolicy(readFileSync(join('policies', name), 'utf8'));
		expect(`${policy.name}.yaml`).toBe(name);
	});
});
