import { describe, expect, it } from 'vitest';
import { unitsFor } from '../../../../src/device/agent/units.ts';

const unitsOf = (dir: string) =>
	unitsFor({ dir, program: ['/usr/bin/node', '/opt/a b/main.js'], user: 'front', group: 'front' });

describe('the units', () => {
	it('are filled in without rest', () => {
		const units = unitsOf('/var/lib/agent');
		expect(Object.keys(units)).toEqual(['secure-code-agent.service', 'secure-code-agent-exec.service']);
		expect(Object.values(units).flatMap((text) => text.match(/@[A-Z_]+@/g) ?? [])).toEqual([]);
	});

	it('escape what systemd would split or expand', () => {
		const front = unitsOf('/srv/100% mine/$HOME')['secure-code-agent.service'];
		expect(front).toContain('ExecStart=/usr/bin/node "/opt/a b/main.js" agent serve --dir "/srv/100%% mine/$$HOME"\n');
	});

	it('give the exec side a policy that it cannot change, and no way to the folder of the agent', () => {
		const exec = unitsOf('/srv/100% mine')['secure-code-agent-exec.service'] ?? '';
		expect(exec).toContain('LoadCredential=policy.yaml:/srv/100%% mine/policy.yaml\n');
		expect(exec).toContain('InaccessiblePaths="/srv/100%% mine"\n');
		expect(exec).toContain(
			'agent exec --dir %S/secure-code-exec --mask "/srv/100%% mine" --policy %d/policy.yaml --socket %t/secure-code-agent/exec.sock\n',
		);
	});

	it('run the two sides as two users', () => {
		const users = Object.values(unitsOf('/var/lib/agent')).map((text) => /^User=(.*)$/m.exec(text)?.[1]);
		expect(users).toEqual(['front', 'secure-code-exec']);
	});
});
