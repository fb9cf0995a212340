import { NodeOperationError } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { toNodeError } from '../../../../nodes/shared/to-node-error.ts';
import { KnownError } from '../../../../src/contract/error.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

describe('toNodeError', () => {
	it('shows what a person must repair, with the fix and the item', () => {
		const { context } = fakeContext({ properties: toolParameters });
		const error = toNodeError(context, new KnownError('SANDBOX_UNAVAILABLE', { details: 'nsjail was not found' }), 2);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect([error.message, error.description, error.context.itemIndex]).toEqual([
			'The code was not run, because no sandbox can run on this machine: nsjail was not found.',
			'Run "secure-code doctor" on the machine that runs n8n; it names the step that fails and its fix.',
			2,
		]);
	});

	it('keeps the story of our own mistake in the log and shows only the id under which it is found', () => {
		const { context, logs } = fakeContext({ properties: toolParameters });
		const error = toNodeError(context, new TypeError('secret detail'), 0);
		const id = /\(id ([0-9a-f]{8})\)/.exec(error.message)?.[1];
		expect(`${error.message} ${error.description}`).not.toContain('secret detail');
		expect(logs).toEqual([
			{
				level: 'error',
				message: `Secure Code: unexpected error ${id}`,
				data: { id, story: expect.stringContaining('TypeError: secret detail') },
			},
		]);
	});

	it('passes on an error that is already made for the node', () => {
		const { context } = fakeContext({ properties: toolParameters });
		const error = new NodeOperationError(context.getNode(), 'ready');
		expect(toNodeError(context, error, 0)).toBe(error);
	});
});
