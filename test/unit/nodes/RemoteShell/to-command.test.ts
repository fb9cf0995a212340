import type { INodeExecutionData } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { callOfItem, idempotencyKey } from '../../../../nodes/RemoteShell/to-command.ts';
import type { NodeContext } from '../../../../nodes/shared/context.ts';

interface Place {
	readonly items?: INodeExecutionData[];
	readonly run?: number;
	readonly execution?: string;
	readonly instance?: string;
}

/** Items lie at the first input, and there is no other, as in n8n. */
function at({ items = [], run = 0, execution = 'e1', instance = 'i1' }: Place): NodeContext {
	const context = {
		getInputData: (inputIndex = 0) => {
			if (inputIndex > 1) throw new Error('Could not get input with given index');
			return inputIndex === 0 ? items : [];
		},
		getWorkflow: () => ({ id: 'w1' }),
		getNode: () => ({ id: 'n1' }),
		getExecutionId: () => execution,
		getInstanceId: () => instance,
		getWorkflowDataProxy: () => ({ $runIndex: run }),
	};
	return context as unknown as NodeContext;
}

const item = (toolCallId?: string): INodeExecutionData => ({ json: toolCallId === undefined ? {} : { toolCallId } });

describe('the key of one action', () => {
	it('is the same when n8n tries again, and another for each item, however many there are', () => {
		const keys = () =>
			[0, 1, 2, 3].map((index) => idempotencyKey(at({ items: [item(), item(), item(), item()] }), index));
		expect(keys()).toEqual(keys());
		expect(new Set(keys()).size).toBe(4);
	});

	it.each<[string, Place]>([
		['turn of a loop', { run: 1 }],
		['execution', { execution: 'e2' }],
		['n8n that counts its executions alike', { instance: 'i2' }],
	])('is another for each %s, also when the items bring the same id of a call', (_what, other) => {
		const items = [item('call-1')];
		expect(idempotencyKey(at({ items }), 0)).not.toBe(idempotencyKey(at({ items, ...other }), 0));
	});

	it('is another for each call of a model within one run, also when its ids are long', () => {
		const long = 'x'.repeat(500);
		const keys = ['a', 'b', `${long}a`, `${long}b`].map((call) => idempotencyKey(at({}), 0, call));
		expect([new Set(keys).size, Math.max(...keys.map(({ length }) => length)) <= 200]).toEqual([4, true]);
	});
});

describe('the id of a call', () => {
	it('is that of its item, also of the third', () => {
		const context = at({ items: [item('a'), item('b'), item('c')] });
		expect([0, 1, 2].map((index) => callOfItem(context, index))).toEqual(['a', 'b', 'c']);
	});

	it('is none where the engine gave none', () => {
		expect(callOfItem(at({ items: [item()] }), 0)).toBeUndefined();
	});
});
