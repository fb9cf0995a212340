import { describe, expect, it } from 'vitest';
import { checkSecrets, readSecretValues } from '../../../../nodes/shared/secret-values.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

const read = (secrets: Record<string, string>) => readSecretValues(fakeContext({ properties: [], secrets }).context, 0);

describe('readSecretValues', () => {
	it('joins both credentials', async () => {
		const values = await read({ secureCodeSecretsApi: 'A=1', secureCodeSecretsSecondApi: 'B=2' });
		expect([...values]).toEqual([
			['A', '1'],
			['B', '2'],
		]);
	});

	it('has nothing when no credential is chosen', async () => {
		expect((await read({})).size).toBe(0);
	});

	it('refuses a name that stands in both', async () => {
		await expect(read({ secureCodeSecretsApi: 'A=hunter2', secureCodeSecretsSecondApi: 'A=2' })).rejects.toThrow(
			'both credentials of the node have a secret called A',
		);
	});

	it('names the bad line without its text', async () => {
		const error = await read({ secureCodeSecretsApi: 'A=1\nhunter2' }).catch((fault: Error) => fault.message);
		expect(error).toBe('The configuration is not valid: in the credential of the node, line 2 is not NAME=value.');
	});
});

describe('the test of the credential', () => {
	const check = (secrets: string) => checkSecrets.call({} as never, { data: { secrets } } as never);

	it.each([
		['A=hunter2-hunter3\nB="long\nenough"', { status: 'OK', message: '2 secrets: A, B' }],
		['A=1\nhunter2', { status: 'Error', message: 'Please correct: line 2 is not NAME=value.' }],
		['# nothing', { status: 'Error', message: 'There is no NAME=value line.' }],
		[
			'A=hunter2-hunter3\nFLAG=true',
			{
				status: 'Error',
				message:
					'Cannot be masked in output, because the value is shorter than 6 characters or an everyday word: FLAG.',
			},
		],
	])('reads %j', async (text, answer) => {
		expect(await check(text)).toEqual(answer);
	});
});
