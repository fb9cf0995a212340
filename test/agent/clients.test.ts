/** Our own clients against our own agent: what stops in n8n ends on the device, and a retry is the same job, in every dialect that can say it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaceName } from '../../src/contract/device-job.ts';
import type { RemoteCommand } from '../../src/contract/remote.ts';
import type { DeviceAccess, DeviceClient } from '../../src/device/client/client.ts';
import { createClient } from '../../src/device/client/create.ts';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';

let agent: TestAgent;
const clients: DeviceClient[] = [];

beforeAll(async () => {
	agent = await TestAgent.start({ policy: openPolicy() });
});
afterAll(async () => {
	for (const client of clients) await client.close();
	await agent.remove();
});

function clientFor(protocol: FaceName, more: object = {}): DeviceClient {
	const extra = protocol === 'ogent' ? { dialect: 'service', marksExit: false } : { controllerId: 'controller-1' };
	const client = createClient('web-1', { protocol, ...extra, ...agent.faces[protocol], ...more } as DeviceAccess);
	clients.push(client);
	return client;
}

const script = (text: string, idempotencyKey: string = crypto.randomUUID()): RemoteCommand => ({
	command: { mode: 'script', script: text, shell: 'auto' },
	env: {},
	labels: {},
	idempotencyKey,
});

interface Listed {
	readonly jobId: string;
	readonly state: string;
	readonly result: { readonly status: string } | null;
}

const newest = (): Listed =>
	JSON.parse(secureCode(['agent', 'jobs', 'list', '--dir', agent.dir, '--json', '--limit', '1'])).jobs[0];

const ways: [string, FaceName, object][] = [
	['native', 'native', {}],
	['Ogent, as the service speaks it', 'ogent', { dialect: 'service' }],
	['Ogent, as its documents say', 'ogent', { dialect: 'documents' }],
	['Ogent, as its LangChain client speaks it', 'ogent', { dialect: 'langchain' }],
	['QuickCMD', 'quickcmd', {}],
	['device_agent', 'device', {}],
];

describe.each(ways)('over %s', (_way, protocol, more) => {
	it('a command ends on the device when the caller stops', async () => {
		const client = clientFor(protocol, more);
		const stop = new AbortController();
		const running = client.run(script('echo begun; sleep 60'), { signal: stop.signal });
		await expect.poll(() => newest()?.state, { timeout: 10_000 }).toBe('running');
		const { jobId } = newest();
		stop.abort();
		const { status, problem } = await running;
		await expect.poll(() => newest().result?.status, { timeout: 10_000 }).toBe('cancelled');
		expect([status, problem?.code, newest().jobId]).toEqual(['cancelled', 'JOB_CANCELLED', jobId]);
	});

	it('a retry of the same action runs once and tells the same', async () => {
		const client = clientFor(protocol, more);
		const action = script('date +%N', 'the same action');
		const [first, second] = [await client.run(action), await client.run(action)];
		expect([first.status, second.stdout]).toEqual(['succeeded', first.stdout]);
	});
});

describe('Ogent with an exit marker', () => {
	it('tells what it told without one, since our agent says the code anyway', async () => {
		const client = clientFor('ogent', { marksExit: true });
		const { status, exitCode, stdout, reliability } = await client.run(script('echo out; exit 3'));
		expect([status, exitCode, stdout.trim(), reliability]).toEqual(['failed', 3, 'out', 'exact']);
	});
});
