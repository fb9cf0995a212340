import { beforeEach, describe, expect, it } from 'vitest';
import { SecureCode } from '../../../../nodes/SecureCode/SecureCode.node.ts';
import { KnownError, problemFor } from '../../../../src/contract/error.ts';
import type { JobRequest, JobResult } from '../../../../src/contract/job.ts';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { fakeContext, succeeded, useFakeExecutor } from '../../../helpers/n8n.ts';

const step = new SecureCode();
const codes = ['print(1)', 'print(2)'];
const items = codes.map((code) => ({ json: { code } }));

let answer: (job: JobRequest) => Promise<JobResult>;
let jobs: ReturnType<typeof useFakeExecutor>;

beforeEach(() => {
	answer = async (job) => ({ ...succeeded, stdout: `${job.code}` });
	jobs = useFakeExecutor((job) => answer(job));
});

async function run(parameters: Record<string, unknown> = {}, continueOnFail = false) {
	const code = (index: number) => codes[index];
	const fake = fakeContext({
		properties: step.description.properties,
		parameters: { code, ...parameters },
		items,
		continueOnFail,
	});
	return { ...fake, output: await step.execute.call(fake.context) };
}

describe('SecureCode', () => {
	it('is an ordinary step that n8n does not turn into a tool', () => {
		expect(step.description).toMatchObject({
			name: 'secureCode',
			inputs: ['main'],
			outputs: ['main'],
			usableAsTool: undefined,
		});
	});

	it('runs the program of each item and pairs the results', async () => {
		const { output } = await run();
		expect(output).toEqual([
			codes.map((code, item) => ({ json: { ...succeeded, stdout: code }, pairedItem: { item } })),
		]);
		expect(jobs.map((job) => job.request.labels.item)).toEqual(['0', '1']);
	});

	it('gives the workflow the whole output, not what is cut for a model', async () => {
		const stdout = 'x'.repeat(fixedLimits.modelTextBytes * 2);
		answer = async () => ({ ...succeeded, stdout });
		const { output } = await run();
		expect(output[0]?.[0]?.json).toMatchObject({ stdout, truncated: { stdout: false, stderr: false } });
	});

	it('gives one hint for all items', async () => {
		const { hints } = await run();
		expect(hints).toEqual([{ message: '2 programs in 43 ms: 2 succeeded.', type: 'info', location: 'outputPane' }]);
	});

	it('gives a failing program on as an item', async () => {
		answer = async () => ({ ...succeeded, status: 'failed', exitCode: 1 });
		const { output } = await run();
		expect(output[0]?.map(({ json }) => json.status)).toEqual(['failed', 'failed']);
	});

	it('says of a program that worked which files it did not get', async () => {
		const bytes = fixedLimits.inFileBytes + 1;
		const binary = { film: { id: 'f', data: 'filesystem', mimeType: 'video/mp4', fileName: 'film.mp4', bytes } };
		const fake = fakeContext({
			properties: step.description.properties,
			parameters: { code: 'print(1)', filesFrom: 'item' },
			items: [{ json: {}, binary }],
		});
		const [[item] = []] = await step.execute.call(fake.context);
		const details = 'film.mp4 (larger than it may be: at most 64 MB)';
		expect([item?.json.status, item?.json.problem]).toEqual(['succeeded', problemFor('FILES_NOT_GIVEN', { details })]);
	});

	it('stops red when a person must repair the machine', async () => {
		answer = async () => {
			throw new KnownError('SANDBOX_UNAVAILABLE', { details: 'nsjail was not found' });
		};
		await expect(run()).rejects.toThrow('no sandbox can run on this machine: nsjail was not found');
	});

	it('stops red when an item has no program', async () => {
		await expect(run({ code: () => ({ not: 'a text' }) })).rejects.toThrow('the arguments do not fit');
	});

	it('gives every program every exposed secret, as no model is there to ask', async () => {
		const fake = fakeContext({
			properties: step.description.properties,
			parameters: { code: () => 'a', useSecrets: true, exposedSecrets: { secret: [{ name: 'KEY' }] } },
			items: [{ json: {} }],
			secrets: { secureCodeSecretsSecondApi: 'KEY=hunter2-hunter3' },
		});
		await step.execute.call(fake.context);
		expect(jobs.map((job) => [job.request.secrets, job.context?.secretValues])).toEqual([
			[['KEY'], { KEY: 'hunter2-hunter3' }],
		]);
	});

	it('goes on with an error item when the author asks for it', async () => {
		const error = new KnownError('SANDBOX_UNAVAILABLE', { details: 'nsjail was not found' });
		answer = async (job) => {
			if (job.code === codes[0]) throw error;
			return succeeded;
		};
		const { output } = await run({}, true);
		expect(output).toEqual([
			[
				{ json: { error: error.message }, pairedItem: { item: 0 } },
				{ json: succeeded, pairedItem: { item: 1 } },
			],
		]);
	});
});
