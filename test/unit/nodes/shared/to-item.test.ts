import { describe, expect, it } from 'vitest';
import { cutForModel, itemFor } from '../../../../nodes/shared/to-item.ts';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { cutMiddle } from '../../../../src/core/text.ts';
import { succeeded } from '../../../helpers/n8n.ts';

describe('itemFor', () => {
	it('gives the whole result and the item it belongs to', () => {
		expect(itemFor({ result: succeeded, binary: {} }, 3)).toEqual({ json: succeeded, pairedItem: { item: 3 } });
	});

	it('gives files as binary data', () => {
		const binary = { data: { data: 'filesystem', mimeType: 'image/png', id: '1' } };
		expect(itemFor({ result: succeeded, binary }, 0)).toEqual({ json: succeeded, binary, pairedItem: { item: 0 } });
	});

	it('has no field "error", which would make n8n run the node again', () => {
		const problem = { code: 'LIMIT_TIME', message: 'Too slow.', next: 'Be quick.' };
		expect(itemFor({ result: { ...succeeded, status: 'timed_out', problem }, binary: {} }, 0).json).not.toHaveProperty(
			'error',
		);
	});
});

describe('cutForModel', () => {
	it('leaves a short result as it is', () => {
		expect(cutForModel(succeeded)).toEqual(succeeded);
	});

	it.each(['stdout', 'stderr'] as const)('keeps head and tail of a long %s and says so', (stream) => {
		const long = `${'a'.repeat(fixedLimits.modelTextBytes)}the end`;
		expect(cutForModel({ ...succeeded, [stream]: long })).toEqual({
			...succeeded,
			[stream]: cutMiddle(long, fixedLimits.modelTextBytes).text,
			truncated: { ...succeeded.truncated, [stream]: true },
		});
	});

	it('shows beginnings of files as long as all of them together are short', () => {
		const preview = 'x'.repeat(fixedLimits.modelPreviewBytes / 2);
		const file = { name: 'a', type: 'text/plain', bytes: 9, binary: 'data', link: null };
		const previews = [preview, null, preview, 'y'];
		const files = previews.map((one) => ({ ...file, preview: one }));
		expect(cutForModel({ ...succeeded, files }).files.map((one) => one.preview)).toEqual([
			preview,
			null,
			preview,
			null,
		]);
	});

	it('does not forget that the core has cut before', () => {
		const cut = { ...succeeded, truncated: { stdout: true, stderr: true } };
		expect(cutForModel(cut)).toEqual(cut);
	});
});
