/** Hands the files of a program to n8n: as binary data of the item, and with a link that an answer can show. */
import { createReadStream } from 'node:fs';
import type { IBinaryKeyData } from 'n8n-workflow';
import type { JobResult, OutFile } from '../../src/contract/job.ts';
import type { NodeContext } from './context.ts';

/** A file as the model and the workflow read of it; where it lay on the host is nobody's business. */
interface DeliveredFile extends Omit<OutFile, 'path'> {
	/** The binary field of the item that holds it. */
	readonly binary: string;
	/** Whoever has it can download the file; null when none is wanted or n8n cannot make one. */
	readonly link: string | null;
}

export type NodeResult = Omit<JobResult, 'files'> & { readonly files: readonly DeliveredFile[] };

export interface Delivery {
	readonly result: NodeResult;
	readonly binary: IBinaryKeyData;
}

/** As other nodes call their files: data, data1, data2. */
const fieldName = (index: number): string => (index === 0 ? 'data' : `data${index}`);

export const withoutFiles = (result: JobResult): Delivery => ({ result: { ...result, files: [] }, binary: {} });

/** @param linkHours how long links are valid; undefined for no links */
export async function deliverFiles(
	context: NodeContext,
	result: JobResult,
	linkHours: number | undefined,
): Promise<Delivery> {
	const binary: IBinaryKeyData = {};
	const files: DeliveredFile[] = [];
	for (const { path, ...file } of result.files) {
		if (path === null) continue;
		const field = fieldName(files.length);
		const stored = await context.helpers.prepareBinaryData(createReadStream(path), file.name, file.type);
		binary[field] = stored;
		files.push({ ...file, binary: field, link: linkHours === undefined ? null : linkTo(context, stored, linkHours) });
	}
	return { result: { ...result, files }, binary };
}

/** Data that n8n keeps in the item itself cannot be linked to. */
function linkTo(context: NodeContext, stored: IBinaryKeyData[string], hours: number): string | null {
	if (stored.id === undefined) return null;
	return context.helpers.createBinarySignedUrl(stored, `${hours}h`);
}
