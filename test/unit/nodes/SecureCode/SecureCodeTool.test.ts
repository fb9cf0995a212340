import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamicStructuredTool } from '@langchain/core/tools';
import { NodeOperationError } from 'n8n-workflow';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SecureCodeTool } from '../../../../nodes/SecureCode/SecureCodeTool.node.ts';
import { KnownError, problemFor } from '../../../../src/contract/error.ts';
import type { JobRequest, JobResult } from '../../../../src/contract/job.ts';
import { defaultLimits, fixedLimits } from '../../../../src/contract/limits.ts';
import { fakeContext, succeeded, useFakeExecutor, useN8nModules } from '../../../helpers/n8n.ts';

const tool = new SecureCodeTool();
const { properties } = tool.description;

const request: JobRequest = {
	code: 'print(45)',
	language: 'auto',
	limits: defaultLimits,
	network: 'none',
	bundle: 'default',
	secrets: [],
	env: {},
	files: [],
	check: true,
	checkPolicy: {
		allowSubprocess: false,
		allowWorkers: false,
		writableRoots: ['/work', '/tmp'],
		readDeny: [],
		severities: {},
		warnOnly: false,
		onSyntaxError: 'block',
	},
	warm: true,
	preload: [],
	labels: { workflow: 'w1', execution: 'e1', item: '0' },
};

let answer: (job: JobRequest) => Promise<JobResult>;
let jobs: ReturnType<typeof useFakeExecutor>;

beforeAll(() => {
	useN8nModules();
});

beforeEach(() => {
	answer = async () => succeeded;
	jobs = useFakeExecutor((job) => answer(job));
});

type Options = Omit<Parameters<typeof fakeContext>[0], 'properties'>;

/** Agent 3: the engine runs the node and nobody has looked at the arguments. */
async function byEngine(args: unknown, options: Options = {}) {
	const spread = typeof args === 'string' ? { ...args.split('') } : (args as object);
	const fake = fakeContext({ args: spread, properties, ...options });
	const [items] = await tool.execute.call(fake.context);
	return { ...fake, items, result: items?.[0]?.json as unknown };
}

async function supply(options: Options = {}) {
	const fake = fakeContext({ properties, ...options });
	const { response } = await tool.supplyData.call(fake.context, 0);
	return { ...fake, offered: response as DynamicStructuredTool };
}

/** Agent 2, "Execute step", MCP and n8n's own Agents: they call the tool object. */
async function byFunction(args: unknown, options: Options = {}) {
	const { offered, ...fake } = await supply(options);
	const text: string = await offered.invoke(args as never);
	return { ...fake, result: JSON.parse(text) as unknown };
}

const ways = [
	['by the engine', byEngine],
	['by the function', byFunction],
] as const;

describe('the description', () => {
	it('makes a native tool that is not made from an ordinary node', () => {
		expect(tool.description).toMatchObject({ name: 'secureCodeTool', inputs: [], outputs: ['ai_tool'] });
		expect(tool.description).not.toHaveProperty('usableAsTool');
	});
});

describe('supplyData', () => {
	it('offers name, words and limits without starting anything', async () => {
		const { offered } = await supply({
			parameters: { toolDescription: 'Runs code.', timeout: 5, network: 'full', bundle: 'none' },
		});
		expect([offered.name, offered.description]).toEqual([
			'My_Tool_',
			'Runs code.\n\nLimits: 5 s, 128 MB of memory, 50000 characters of code. Network: every public host. Modules: those that are installed; nothing can be installed. Each call starts fresh; nothing is kept from earlier calls. Each file of the answer has a "link": show it to the user as ![name](link) if it is a picture, else as [name](link).',
		]);
		expect(jobs).toEqual([]);
	});

	it('tells the model which files there are', async () => {
		const binary = { data0: { id: 'b1', data: 'filesystem', mimeType: 'text/csv', fileName: 'sales.csv', bytes: 12 } };
		const items = [{ json: {}, binary }];
		const { offered } = await supply({ items, parameters: { fileLinks: false, bundle: 'none' } });
		expect(offered.description).toMatch(/ Files in \/work\/in, read-only: sales\.csv \(text\/csv, 12 bytes\)\.$/);
		const onRequest = await supply({ items, parameters: { fileLinks: false, filesMode: 'onRequest', bundle: 'none' } });
		expect(onRequest.offered.description).toMatch(
			/ Ask with "files": \[\{ "name": "…" \}\] and read them in \/work\/in\.$/,
		);
	});

	it('fails with words for the author when a safety parameter is an expression', async () => {
		await expect(supply({ parameters: { network: "={{ $fromAI('network') }}" } })).rejects.toThrow(
			'"network" must be a fixed value, not an expression',
		);
	});

	it('fails with words for the author when a parameter is out of range', async () => {
		await expect(supply({ parameters: { timeout: 1e6 } })).rejects.toBeInstanceOf(NodeOperationError);
	});
});

describe.each(ways)('files in a call %s', (_way, call) => {
	const binary = { data0: { id: 'b1', data: 'filesystem', mimeType: 'text/csv', fileName: 'sales.csv' } };
	const options = { items: [{ json: {}, binary }], stored: { b1: Buffer.from('a,b\n') } };

	it('go to the program and come back as names, beginnings and links, and are gone from the host', async () => {
		let path = '';
		answer = async (job) => {
			path = job.files[0]?.path ?? '';
			const content = readFileSync(path, 'utf8');
			const chart = join(jobs.at(-1)?.context?.outDir ?? '', 'chart.png');
			writeFileSync(chart, content);
			return { ...succeeded, files: [{ name: 'chart.png', type: 'image/png', bytes: 4, preview: null, path: chart }] };
		};
		const { result, kept } = await call({ code: 'a', files: 'sales.csv' }, options);
		const link = 'https://n8n.example/kept:chart.png?for=24h';
		expect(result).toEqual({
			...succeeded,
			files: [{ name: 'chart.png', type: 'image/png', bytes: 4, preview: null, binary: 'data', link }],
		});
		expect(String(kept['kept:chart.png'])).toBe('a,b\n');
		// The answer does not wait for that.
		await expect.poll(() => existsSync(path), { timeout: 5_000 }).toBe(false);
	});

	it('that do not exist are a result the model can act on', async () => {
		const { result } = await call({ code: 'a', files: ['costs.csv'] }, options);
		expect(result).toMatchObject({ status: 'denied', problem: { code: 'FILE_UNKNOWN' } });
		expect(jobs).toEqual([]);
	});
});

describe.each(ways)('a call %s', (_way, call) => {
	it('becomes a job within the limits of the author', async () => {
		const { result } = await call({ code: 'print(45)' });
		expect(result).toEqual(succeeded);
		expect(jobs.map((job) => job.request)).toEqual([request]);
	});

	it('may be a bare string', async () => {
		await call('print(45)');
		expect(jobs.map((job) => job.request)).toEqual([request]);
	});

	it('narrows the limits of the author and cannot widen them', async () => {
		await call({ code: 'print(45)', maxTime: '5', maxMemory: 1024 });
		expect(jobs[0]?.request.limits).toEqual({ ...defaultLimits, timeoutMs: 5_000 });
	});

	it('cannot choose network, imports or the check', async () => {
		await call({ code: 'print(45)', network: 'full', allowedImports: ['os'], validateCode: false, check: false });
		expect(jobs.map((job) => job.request)).toEqual([request]);
	});

	it('passes the network of the author on as it is', async () => {
		await call({ code: 'print(45)' }, { parameters: { network: 'hosts', allowedHosts: 'a.example:443' } });
		expect(jobs[0]?.request.network).toEqual(['a.example:443']);
	});

	it('is answered in words the model can act on when an argument is of the wrong kind', async () => {
		const { result } = await call({ code: 7, language: 'ruby' });
		const details =
			'"code" must be a text with the whole program, not the number 7; "language" must be "python", "javascript", "bash" or "auto", not the text "ruby"';
		expect(result).toMatchObject({ status: 'denied', problem: problemFor('JOB_INVALID', { details }) });
		expect(jobs).toEqual([]);
	});

	it('is answered, not ignored, when it brings the credentials of the other call format', async () => {
		const credentials = [
			{ envVarName: 'OPENAI_API_KEY', credentialName: { name: 'Authorization', value: 'Bearer x' } },
		];
		const { result } = await call({ code: 'print(45)', credentials });
		expect(result).toMatchObject({ status: 'denied', problem: { code: 'JOB_UNSUPPORTED' } });
		expect(jobs).toEqual([]);
	});

	it('gives a failing program back as data', async () => {
		const failed: JobResult = { ...succeeded, status: 'failed', exitCode: 1, stdout: '', stderr: 'NameError' };
		answer = async () => failed;
		expect((await call({ code: 'x' })).result).toEqual(failed);
	});

	it('cuts long output to what a model should read', async () => {
		answer = async () => ({ ...succeeded, stdout: 'x'.repeat(fixedLimits.modelTextBytes * 2) });
		expect((await call({ code: 'x' })).result).toMatchObject({ truncated: { stdout: true, stderr: false } });
	});

	it('hands the stop of the execution to the job', async () => {
		const { signal } = new AbortController();
		await call({ code: 'x' }, { signal });
		expect(jobs[0]?.context?.signal).toBe(signal);
	});

	it('gives a failure that the model can repair back as a result, also when the core throws it', async () => {
		answer = async () => {
			throw new KnownError('QUEUE_FULL', { waiting: 100 });
		};
		expect((await call({ code: 'x' })).result).toMatchObject({ status: 'denied', problem: { code: 'QUEUE_FULL' } });
	});

	it('leaves a hint in the editor and a line in the log', async () => {
		const { hints, logs } = await call({ code: 'x' });
		expect(hints).toEqual([
			{ message: 'succeeded: Python, exit code 0, 21 ms, 9 MB.', type: 'info', location: 'outputPane' },
		]);
		expect(logs).toMatchObject([{ level: 'info', message: 'Secure Code: succeeded' }]);
	});
});

const value = 'hunter2-hunter3';
const withSecrets: Options = {
	parameters: {
		useSecrets: true,
		exposedSecrets: { secret: [{ name: 'openai', variable: 'OPENAI_API_KEY', description: 'for the API' }] },
	},
	secrets: { secureCodeSecretsApi: `openai=${value}\nhidden=hunter4-hunter5` },
};

describe.each(ways)('a call %s for a secret', (_way, call) => {
	it('gives the program the value under its variable', async () => {
		await call({ code: 'print(45)', credentials: [{ name: 'openai' }] }, withSecrets);
		expect(jobs.map((job) => [job.request, job.context?.secretValues])).toEqual([
			[{ ...request, secrets: ['OPENAI_API_KEY'] }, { OPENAI_API_KEY: value }],
		]);
	});

	it('gives a program nothing that it did not ask for', async () => {
		await call({ code: 'print(45)' }, withSecrets);
		expect(jobs.map((job) => job.context?.secretValues)).toEqual([{}]);
	});

	it('gives every program every exposed secret when the author says so', async () => {
		await call({ code: 'a' }, { ...withSecrets, parameters: { ...withSecrets.parameters, secretsMode: 'always' } });
		expect(jobs.map((job) => job.context?.secretValues)).toEqual([{ OPENAI_API_KEY: value }]);
	});

	it('cannot reach a secret that is not exposed', async () => {
		const { result } = await call({ code: 'a', credentials: [{ name: 'hidden' }] }, withSecrets);
		expect(result).toMatchObject({ status: 'denied', problem: { code: 'SECRET_UNKNOWN' } });
		expect(jobs).toEqual([]);
	});

	it('cannot switch secrets on, nor choose which are exposed', async () => {
		const parameters = { useSecrets: true, exposedSecrets: { secret: [{ name: "={{ $fromAI('n') }}" }] } };
		const { offered } = await supply({ ...withSecrets, parameters: {} });
		expect(offered.description).not.toContain('Secrets');
		await expect(supply({ ...withSecrets, parameters })).rejects.toThrow(
			'"exposedSecrets" must be a fixed value, not an expression',
		);
	});
});

it('tells the model the names of secrets, what they are for, and how to ask', async () => {
	const { offered } = await supply(withSecrets);
	expect(offered.description).toContain(
		'Secrets: openai (for the API). Ask with "credentials": [{ "name": "…" }] and read the environment variable (OPENAI_API_KEY). Values are masked in the output.',
	);
});

const unavailable = async () => {
	throw new KnownError('SANDBOX_UNAVAILABLE', { details: 'nsjail was not found' });
};
const sentence = 'The code was not run, because no sandbox can run on this machine: nsjail was not found.';

describe('execute', () => {
	it('reads the call and not the item of the agent, and pairs its item', async () => {
		const { items } = await byEngine({ code: 'print(45)' });
		expect(items).toEqual([{ json: succeeded, pairedItem: { item: 0 } }]);
		expect(jobs[0]?.request.code).toBe('print(45)');
	});

	it('leaves the log of the run to the engine, which refuses it from here', async () => {
		const { inputs, outputs } = await byEngine({ code: 'print(45)' });
		expect([inputs, outputs]).toEqual([[], []]);
	});

	it('turns the node red when a person must repair the machine', async () => {
		answer = unavailable;
		await expect(byEngine({ code: 'x' })).rejects.toThrow(sentence);
	});
});

describe('the function of the tool', () => {
	it('shows call and result in the log of the run', async () => {
		const { inputs, outputs } = await byFunction({ code: 'print(45)' });
		expect(inputs).toEqual([[[{ json: { code: 'print(45)' } }]]]);
		expect(outputs).toEqual([{ index: 0, data: [[{ json: succeeded }]] }]);
	});

	it('turns the node red and still answers when a person must repair the machine, so that older agents go on', async () => {
		answer = unavailable;
		const { result, outputs } = await byFunction({ code: 'x' });
		expect(result).toEqual({ error: sentence });
		expect(outputs).toEqual([{ index: 0, data: expect.any(NodeOperationError) }]);
	});
});
