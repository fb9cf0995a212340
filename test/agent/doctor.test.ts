/** The doctor on a real agent: well as it is made, and each harm named with its fix. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main, openPolicy, TestAgent } from '../helpers/agent.ts';

let agent: TestAgent;
beforeEach(async () => {
	agent = await TestAgent.create({ policy: openPolicy() });
});
afterEach(() => agent.remove());

interface Step {
	readonly name: string;
	readonly status: string;
	readonly detail: string;
	readonly fix: string | null;
}

function doctor(...words: readonly string[]): { code: number | null; bad: Step[]; steps: Step[] } {
	const args = [main, 'agent', ...words, '--dir', agent.dir, '--json'];
	const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', env: agent.env });
	const { steps } = JSON.parse(stdout) as { steps: Step[] };
	return { code: status, steps, bad: steps.filter((step) => step.status !== 'ok') };
}

describe('agent doctor', () => {
	it('finds an agent well, and proves that jobs end and see no keys', () => {
		const { code, bad, steps } = doctor('--self-test');
		expect([code, bad]).toEqual([0, []]);
		expect(steps.map(({ name }) => name)).toEqual(
			expect.arrayContaining(['profile default: jobs end', 'profile default: keys and audit', 'audit', 'clock']),
		);
	});

	it('looks at one that runs', async () => {
		await agent.serve();
		expect(doctor('doctor').code).toBe(0);
		expect(await agent.end()).toBe(0);
	});

	it.each([
		['a policy that others can change', () => chmodSync(join(agent.dir, 'policy.yaml'), 0o666), 2, 'chmod go-w'],
		['a secret that others can read', () => chmodSync(join(agent.dir, 'keys/ogent-1.secret'), 0o644), 2, 'chmod go-r'],
		['a weak secret', () => agent.write('keys/quickcmd-1.secret', 'CHANGE_ME'), 2, 'keys rotate quickcmd-1'],
		['a policy that is none', () => agent.write('policy.yaml', 'version: 2\n'), 2, 'policy'],
		[
			'a word that is unknown',
			() => agent.changeConfig((config) => Object.assign(config, { x: 1 })),
			2,
			'Unrecognized key',
		],
		[
			'a folder that others can enter',
			() => [join(agent.dir, '..'), agent.dir].map((path) => chmodSync(path, 0o711)),
			1,
			'chmod 700',
		],
	])('names %s', (_, harm, code, words) => {
		harm();
		const found = doctor('doctor');
		expect([found.code, JSON.stringify(found.bad)]).toEqual([code, expect.stringContaining(words)]);
	});
});
