/** How a result leaves a node: whole for a workflow, with its long text cut for a model. */
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { fixedLimits } from '../../src/contract/limits.ts';
import { cutMiddle } from '../../src/core/text.ts';
import type { Delivery, NodeResult } from './deliver-files.ts';

export function itemFor({ result, binary }: Delivery, itemIndex: number): INodeExecutionData {
	const hasFiles = Object.keys(binary).length > 0;
	return {
		json: result as unknown as IDataObject,
		...(hasFiles ? { binary } : {}),
		pairedItem: { item: itemIndex },
	};
}

/** Beginnings of texts, as long as all of them together are short. */
function cutPreviews(files: NodeResult['files']): NodeResult['files'] {
	let room: number = fixedLimits.modelPreviewBytes;
	return files.map((file) => {
		room -= Buffer.byteLength(file.preview ?? '');
		return room < 0 ? { ...file, preview: null } : file;
	});
}

/** n8n does not cut what a tool returns, and a model pays for every word. */
export function cutForModel(result: NodeResult): NodeResult {
	const stdout = cutMiddle(result.stdout, fixedLimits.modelTextBytes);
	const stderr = cutMiddle(result.stderr, fixedLimits.modelTextBytes);
	return {
		...result,
		stdout: stdout.text,
		stderr: stderr.text,
		files: cutPreviews(result.files),
		truncated: {
			stdout: result.truncated.stdout || stdout.truncated,
			stderr: result.truncated.stderr || stderr.truncated,
		},
	};
}
