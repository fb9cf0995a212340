import type { DynamicStructuredTool } from '@langchain/core/tools';
import { toJsonSchema } from '@langchain/core/utils/json_schema';
import { beforeAll, describe, expect, it } from 'vitest';
import { RemoteShellTool } from '../../../../nodes/RemoteShell/RemoteShellTool.node.ts';
import { fakeContext, useN8nModules } from '../../../helpers/n8n.ts';
import { originalAgent3 } from '../../../helpers/originals/agent3.ts';
import { originalQuickCmd } from '../../../helpers/originals/quickcmd.ts';

const tool = new RemoteShellTool();
const { properties } = tool.description;
const token = 't-123456';

beforeAll(() => {
	useN8nModules();
});

type Options = Omit<Parameters<typeof fakeContext>[0], 'properties'>;

async function devices() {
	const [one, two] = await Promise.all([originalAgent3(token), originalAgent3(token)]);
	const credentials = {
		remoteShellAgent3Api: {
			devices: `a = {"url":"${one.url}","token":"${token}"}\nb = {"url":"${two.url}","token":"${token}"}\ndead = {"url":"http://127.0.0.1:1","token":"x"}`,
		},
	};
	return { one, two, credentials };
}

const options = (credentials: Options['credentials'], more: Options = {}): Options => ({
	...more,
	credentials: credentials ?? {},
	parameters: { protocol: 'agent3', allowedDevices: 'a, b', ...more.parameters },
});

async function byEngine(args: unknown, given: Options) {
	const spread = typeof args === 'string' ? { ...args.split('') } : (args as object);
	const fake = fakeContext({ args: spread, properties, ...given });
	const [items] = await tool.execute.call(fake.context);
	return { ...fake, result: items?.[0]?.json as Record<string, unknown> };
}

async function supply(given: Options) {
	const fake = fakeContext({ properties, ...given });
	const { response } = await tool.supplyData.call(fake.context, 0);
	return response as DynamicStructuredTool;
}

describe('Remote Shell as a tool', () => {
	it('runs what the model sends on the device that it names, and answers in the shape of every job', async () => {
		const { one, two, credentials } = await devices();
		const { result } = await byEngine({ script: 'echo hi', device: 'b' }, options(credentials));
		expect(result).toMatchObject({
			device: 'b',
			protocol: 'agent3',
			status: 'succeeded',
			exitCode: 0,
			stdout: 'hi\n',
			approval: null,
		});
		expect([one.commands, two.commands]).toEqual([[], ['echo hi']]);
	});

	it('answers the same to older agents, which call the tool object', async () => {
		const { credentials } = await devices();
		const offered = await supply(options(credentials));
		const result = JSON.parse(await offered.invoke({ argv: ['echo', 'hi'], device: 'a' }));
		expect(result).toMatchObject({ device: 'a', status: 'succeeded', stdout: 'hi\n' });
	});

	it('takes the same command twice for two jobs when an older agent calls twice', async () => {
		const secret = 'a secret of at least thirty-two bytes';
		const { url, commands } = await originalQuickCmd(secret);
		const credentials = { remoteShellQuickCmdApi: { url, secret, controllerId: 'controller-1' } };
		const offered = await supply({ credentials, parameters: { protocol: 'quickcmd' } });
		const ids = [];
		for (let call = 0; call < 2; call++)
			ids.push(JSON.parse(await offered.invoke({ script: 'echo now', device: 'device' })).jobId);
		expect([new Set(ids).size, commands]).toEqual([2, ['echo now', 'echo now']]);
	});

	it('offers a command and the names of the author’s devices, and nothing that widens what he set', async () => {
		const { credentials } = await devices();
		const offered = await supply(options(credentials));
		const schema = toJsonSchema(offered.schema as never) as { properties: Record<string, { enum?: string[] }> };
		expect([Object.keys(schema.properties), schema.properties.device?.enum]).toEqual([
			['script', 'argv', 'device'],
			['a', 'b'],
		]);
		expect(offered.description).toContain('Devices: a, b.');
		expect(offered.description).not.toMatch(/127\.0\.0\.1|t-123456/);
	});

	it.each<[string, object]>([
		['a device outside of the list', { script: 'id', device: 'dead' }],
		['an address', { script: 'id', device: 'http://127.0.0.1:1' }],
		['no device where there are two', { script: 'id' }],
		['all devices where one is allowed', { script: 'id', device: '*' }],
	])('runs nothing for %s, and tells the names that hold', async (_what, args) => {
		const { one, two, credentials } = await devices();
		const { result } = await byEngine(args, options(credentials));
		expect(result).toMatchObject({
			status: 'denied',
			problem: { code: 'JOB_INVALID', message: expect.stringContaining('a, b') },
		});
		expect([one.commands, two.commands]).toEqual([[], []]);
	});

	it('gives every device its row, also the dead one, where several are allowed', async () => {
		const { credentials } = await devices();
		const given = options(credentials, { parameters: { allowedDevices: '*', allowSeveral: true } });
		const { result } = await byEngine({ script: 'echo hi', devices: ['*'] }, given);
		expect(result).toMatchObject({
			devices: 3,
			succeeded: 2,
			results: [
				{ device: 'a', status: 'succeeded' },
				{ device: 'b', status: 'succeeded' },
				{ device: 'dead', status: 'unreachable', problem: { code: 'AGENT_UNREACHABLE' } },
			],
		});
	});

	it('refuses an expression where a model could steer it', async () => {
		const { credentials } = await devices();
		const given = options(credentials, { parameters: { allowedDevices: (() => 'a') as never } });
		await expect(byEngine({ script: 'id', device: 'a' }, given)).rejects.toThrow('must be a fixed value');
	});

	it('says in its log how it went, never what was run or printed', async () => {
		const { credentials } = await devices();
		const { logs } = await byEngine({ script: 'echo s3cret', device: 'a' }, options(credentials));
		expect(JSON.stringify(logs)).toContain('Remote Shell: succeeded');
		expect(JSON.stringify(logs)).not.toContain('s3cret');
	});

	it('tells a person when the key is wrong', async () => {
		const { one } = await devices();
		const credentials = { remoteShellAgent3Api: { alias: 'a', url: one.url, token: 'wrong' } };
		const { result } = await byEngine({ script: 'id' }, options(credentials, { parameters: { allowedDevices: '*' } }));
		expect(result).toMatchObject({ status: 'denied', problem: { code: 'AUTH_REQUIRED' } });
	});
});
