/** Enrolment on the command line: the device gives a token, another machine makes its own key with it and runs a job. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../src/device/client/create.ts';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: openPolicy() });
});
afterAll(() => agent.remove());

const create = () =>
	JSON.parse(secureCode(['agent', 'enroll', 'create', '--dir', agent.dir, '--principal', 'n8n', '--json']));
const join = (url: string, token: string, fingerprint: string) =>
	secureCode(['agent', 'enroll', 'join', url, '--token', token, '--fingerprint', fingerprint, '--json']);

it('gives another machine a key of its own, which runs jobs at once and has its line in the audit', async () => {
	const { url, token, fingerprint } = create();
	const joined = JSON.parse(join(url, token, fingerprint));
	const client = createClient('web-1', { protocol: 'native', ...joined });
	const result = await client.run({
		...{ command: { mode: 'argv', argv: ['echo', 'enrolled'] }, env: {}, labels: {}, idempotencyKey: 'enrol-1' },
	});
	await client.close();
	const audit = secureCode(['audit', 'export', '--dir', agent.dir, '--format', 'jsonl']);
	const { kid } = JSON.parse(joined.key);
	expect([result.stdout, audit.includes(kid)]).toEqual(['enrolled\n', true]);
});

it('takes a token once, and no other certificate than the pinned one', () => {
	const { url, token, fingerprint } = create();
	expect(() => join(url, token, 'a'.repeat(64))).toThrow(/not the one with the given fingerprint/);
	join(url, token, fingerprint);
	expect(() => join(url, token, fingerprint)).toThrow(/does not know this token/);
});
