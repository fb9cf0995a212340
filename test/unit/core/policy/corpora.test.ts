/** The shipped read-only policy against what people send on the first day, and what attackers send. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decide } from '../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';

const policy = loadPolicy(readFileSync('policies/read-only.yaml', 'utf8'), { ownPaths: ['/srv/agent'] });

const read = (name: string): string[] => parse(readFileSync(`test/fixtures/policy/${name}.yaml`, 'utf8')).map(String);

const ask = (script: string, capability = 'shell.run') =>
	decide(policy, {
		principal: { roles: ['executor'], capabilities: ['*'] },
		capability,
		command: { mode: 'script', script, shell: 'auto' },
		env: {},
		deviceId: 'device',
	});

describe('an ordinary command runs', () => {
	const commands = read('ordinary');

	it.each(commands)('%s', (script) => {
		const { decision, reasons } = ask(script);
		expect([decision, decision === 'allow' ? null : reasons[0]]).toEqual(['allow', null]);
	});

	it('is one of many', () => {
		expect(commands.length).toBeGreaterThan(150);
	});
});

describe('an attack does not run', () => {
	const commands = read('attacks');

	it.each(commands)('%s', (script) => {
		expect([ask(script).decision, ask(script).plan]).toEqual(['deny', null]);
	});

	it.each(commands)('nor as a free script without approval: %s', (script) => {
		expect(ask(script, 'shell.eval').decision).not.toBe('allow');
	});

	it('is one of many', () => {
		expect(commands.length).toBeGreaterThan(150);
	});
});
