import { describe, expect, it } from 'vitest';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { liveFor } from '../../../../nodes/shared/live.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

function liveIn(more: object, isWanted = true) {
	const seen: unknown[][] = [];
	const { context } = fakeContext({ properties: toolParameters });
	const streaming = {
		...context,
		isStreaming: () => true,
		sendChunk: async (...chunk: unknown[]) => void seen.push(chunk),
		sendMessageToUI: (text: string) => void seen.push(['console', text]),
		...more,
	};
	return { seen, live: liveFor(streaming as never, 2, isWanted) };
}

describe('live output', () => {
	it('goes into a chat that is streamed, in order and fit for a screen', async () => {
		const { seen, live } = liveIn({});
		const umlaut = Buffer.from('ü');
		live.onOutput('stdout', Buffer.from('\u001b[31mred\u001b[0m\n'));
		live.onOutput('stderr', Buffer.from('warning\n'));
		live.onOutput('stdout', umlaut.subarray(0, 1));
		live.onOutput('stdout', umlaut.subarray(1));
		await live.end();
		expect(seen).toEqual([
			['begin', 2, undefined],
			['item', 2, 'red\n'],
			['item', 2, 'warning\n'],
			['item', 2, 'ü'],
			['end', 2, undefined],
		]);
	});

	it.each([
		['the author does not want it', {}, false],
		['the chat is not streamed', { isStreaming: () => false }, true],
		['n8n has no streams', { isStreaming: undefined, sendChunk: undefined }, true],
	])('goes nowhere when %s', async (_why, more, isWanted) => {
		const { seen, live } = liveIn(more, isWanted);
		live.onOutput('stdout', Buffer.from('x'));
		await live.end();
		expect(seen).toEqual([]);
	});

	it('goes to the console of the author in a manual run', async () => {
		const { seen, live } = liveIn({ getMode: () => 'manual' }, false);
		live.onOutput('stdout', Buffer.from('x'));
		await live.end();
		expect(seen).toEqual([['console', 'x']]);
	});

	it('is cut in a chat, and a chat that fails does not spoil the job', async () => {
		const { seen, live } = liveIn({});
		for (let n = 0; n < 5; n++) live.onOutput('stdout', Buffer.alloc(10_000, 'x'));
		await live.end();
		const items = seen.filter(([type]) => type === 'item').map(([, , text]) => String(text));
		expect([items.length, items.at(-1)?.endsWith('[… more is not shown here …]\n')]).toEqual([4, true]);
		const broken = liveIn({
			sendChunk: async () => {
				throw new Error('gone');
			},
		});
		broken.live.onOutput('stdout', Buffer.from('x'));
		await broken.live.end();
	});
});
