import type { DynamicStructuredTool } from '@langchain/core/tools';
import { beforeAll, describe, expect, it } from 'vitest';
import { RemoteShellTool } from '../../../../nodes/RemoteShell/RemoteShellTool.node.ts';
import { decided } from '../../../helpers/desk.ts';
import { fakeContext, useN8nModules } from '../../../helpers/n8n.ts';
import { nativeAgent } from '../../../helpers/native-face.ts';

const tool = new RemoteShellTool();
const { properties } = tool.description;

beforeAll(() => {
	useN8nModules();
});

/** One device that the author lists, and one of the same credential that he does not. */
async function device(decision: 'allow' | 'ask' = 'allow') {
	const agent = await nativeAgent({ decide: () => decided(decision) });
	const { kid, privateKey } = agent.handKey;
	const key = { kid, ...privateKey.export({ format: 'jwk' }) };
	const line = JSON.stringify({ url: agent.url, key });
	const credentials = { remoteShellNativeApi: { devices: `web-1 = ${line}\nsecret = ${line}` } };
	const parameters = { protocol: 'native', allowedDevices: 'web-1', cwd: '/srv', timeout: 7, capability: 'shell.run' };
	return { agent, given: { properties, credentials, parameters } };
}

type Device = Awaited<ReturnType<typeof device>>;

async function byEngine({ given }: Device, args: object): Promise<Record<string, unknown>> {
	const [items] = await tool.execute.call(fakeContext({ ...given, args, executionId: crypto.randomUUID() }).context);
	return items?.[0]?.json as Record<string, unknown>;
}

async function byTool({ given }: Device, args: object): Promise<Record<string, unknown>> {
	const { response } = await tool.supplyData.call(fakeContext(given).context, 0);
	return JSON.parse(await (response as DynamicStructuredTool).invoke(args));
}

/** What the device was asked, but for what tells one job from another. */
const asked = ({ agent }: Device): object[] =>
	agent.desk.changes
		.filter(({ jobId }, index, all) => all.findIndex((job) => job.jobId === jobId) === index)
		.map(({ command, capability, principal, labels, face }) => ({
			...{ command, capability, principal, face },
			labels: { ...labels, execution: 'any' },
		}));

const ran = ({ agent }: Device): object[] =>
	agent.desk.ran.map(({ cwd, env, limits, profile, plan }) => ({ cwd, env, limits, profile, plan }));

const ways = { 'the engine runs the node': byEngine, 'an agent calls the tool object': byTool };

const widening = {
	timeout: 9999,
	timeoutMs: 3_600_000,
	maxTime: 9999,
	host: '10.0.0.1',
	url: 'http://10.0.0.1:1',
	user: 'root',
	cwd: '/root',
	env: { PATH: '/tmp', LD_PRELOAD: '/tmp/x.so' },
	stdin: 'yes',
	shell: 'bash',
	capability: 'shell.admin',
	approval: 'apr-0',
	approvalId: 'apr-0',
	token: 'bob-token',
	key: '{}',
	idempotencyKey: 'chosen',
	labels: { workflow: 'other' },
	principal: 'bob',
	protocol: 'agent3',
	allowedDevices: '*',
	allowSeveral: true,
	profile: 'direct',
	policy: { allow: '*' },
};

const hostile: [string, object][] = [
	['every name that sets something', widening],
	['the same once more inside of an object', { options: widening, parameters: widening, settings: { ...widening } }],
	['the same as JSON text', { options: JSON.stringify(widening), input_json: JSON.stringify(widening) }],
	[
		'lists of them',
		{ timeout: [1, 9999], env: [['A', '1']], capability: ['shell.admin'], approvals: [{ id: 'apr-0' }] },
	],
	['wrong types', { timeout: 'for ever', env: 'A=1', cwd: 5, approval: true, token: null, capability: {} }],
	[
		'names of prototypes',
		JSON.parse('{"__proto__":{"cwd":"/root","timeout":9},"constructor":{"prototype":{"cwd":"/"}}}'),
	],
	['expressions of n8n', { cwd: '={{ $env.HOME }}', timeout: '={{ 9999 }}', capability: "={{ 'shell.admin' }}" }],
	['fields of the engine', { toolCallId: 'x', tool: 'other', json: { cwd: '/' }, pairedItem: 3, binary: {} }],
];

describe.each(Object.entries(ways))('When %s', (_way, call) => {
	it.each(hostile)('a model that passes %s changes nothing', async (_what, extra) => {
		const one = await device();
		const plain = await call(one, { script: 'uptime', device: 'web-1' });
		const more = await call(one, { script: 'uptime', device: 'web-1', ...extra });
		expect([plain.status, more.status]).toEqual(['succeeded', 'succeeded']);
		const [first, second, ...others] = ran(one);
		expect([second, others]).toEqual([first, []]);
		expect(new Set(asked(one).map((job) => JSON.stringify(job))).size).toBe(1);
		expect(({} as Record<string, unknown>).cwd).toBeUndefined();
	});

	it('an approval that a model names or claims to have is asked for all the same', async () => {
		const one = await device('ask');
		const extra = { approval: 'apr-0', approved: true, typed: 'APPROVE apr-0', token: 'bob-token' };
		const { status } = await call(one, { script: 'uptime', device: 'web-1', ...extra });
		expect([status, ran(one)]).toEqual(['awaiting_approval', []]);
	});

	it.each<[string, unknown]>([
		['in capitals', 'WEB-1'],
		['with a space', 'web-1 '],
		['with a line break', 'web-1\n'],
		['that is in the credential only', 'secret'],
		['as an address', 'http://10.0.0.1'],
		['that every object has', '__proto__'],
		['that is a method', 'constructor'],
		['as an expression', "={{ 'web-1' }}"],
		['in a list with another one', ['web-1', 'secret']],
		['as JSON text', '["secret"]'],
		['with look-alikes', 'wеb-1'],
	])('a device %s is none of the list, and nothing runs', async (_what, name) => {
		const one = await device();
		const { status, problem } = await call(one, { script: 'uptime', device: name });
		expect([status, (problem as { code: string }).code, asked(one)]).toEqual(['denied', 'JOB_INVALID', []]);
	});

	it.each<[string, object]>([
		['an object', { script: { script: 'id' } }],
		['a list', { script: ['id'] }],
		['words that are no texts', { argv: ['id', { toString: 'x' }] }],
		['both forms', { script: 'id', argv: ['id'] }],
		['one that is only inherited', JSON.parse('{"__proto__":{"script":"id"}}')],
	])('a command that is %s is answered, and nothing runs', async (_what, args) => {
		const one = await device();
		const { status } = await call(one, args);
		expect([status, asked(one)]).toEqual(['denied', []]);
	});

	it('an expression inside of a command is sent as the text that it is', async () => {
		const one = await device();
		const text = '={{ $env.N8N_ENCRYPTION_KEY }}';
		await call(one, { script: text, device: 'web-1' });
		expect(asked(one)).toMatchObject([{ command: { mode: 'script', script: text } }]);
	});
});
