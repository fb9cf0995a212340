import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../src/cli/check-policy.ts';
import { checkPolicySchema } from '../../../src/contract/check-policy.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

function policyFile(text: string): string {
	const path = join(tempFolder(), 'policy.yaml');
	writeFileSync(path, text);
	return path;
}

describe('the check policy of a command', () => {
	it('is the default where nothing is said', () => {
		expect(checkPolicy({})).toEqual(checkPolicySchema.parse({}));
	});

	it('takes a file in YAML or JSON, and flags on top of it', () => {
		const yaml = policyFile('allowWorkers: true\nseverities:\n  PY-EXEC: warn\n');
		const json = policyFile('{"allowWorkers": true, "severities": {"PY-EXEC": "warn"}}');
		for (const path of [yaml, json])
			expect(checkPolicy({ 'check-policy': path, 'read-deny': '/work/in/a', 'warn-only': true })).toEqual(
				checkPolicySchema.parse({
					allowWorkers: true,
					severities: { 'PY-EXEC': 'warn' },
					readDeny: ['/work/in/a'],
					warnOnly: true,
				}),
			);
	});

	it.each([
		[{ severity: ['PY-EXEC'] }],
		[{ severity: ['PY-EXEC=maybe'] }],
		[{ 'on-syntax-error': 'off' }],
		[{ 'check-policy': '/no/such/file' }],
	])('stops the command instead of being read half: %j', (values) => {
		expect(() => checkPolicy(values)).toThrow('The configuration is not valid');
	});

	it.each(['severitys: {}', '- a', 'a: [', 'allowSubprocess: "yes"'])('stops at a file that says %j', (text) => {
		expect(() => checkPolicy({ 'check-policy': policyFile(text) })).toThrow('The configuration is not valid');
	});
});
