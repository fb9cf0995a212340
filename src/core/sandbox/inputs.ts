/** Lays out the files that a job brings along, so that the jail sees them read-only in /work/in. */
import { stat } from 'node:fs/promises';
import { KnownError } from '../../contract/error.ts';
import type { JobFile, JobRequest } from '../../contract/job.ts';
import { fixedLimits } from '../../contract/limits.ts';
import { RunFolder } from '../host/run-folder.ts';

/** Where a program finds the data of its job. */
export const dataName = 'data.json';

const refuse = (details: string) => new KnownError('JOB_INVALID', { details });

async function sizeOf(file: JobFile): Promise<number> {
	if (file.path === undefined) return Buffer.byteLength(file.base64 ?? '', 'base64');
	const found = await stat(file.path).catch(() => undefined);
	if (!found?.isFile()) throw refuse(`"files": ${file.name} is not a file that can be read`);
	return found.size;
}

async function checkFiles(files: readonly JobFile[], hasData: boolean): Promise<void> {
	if (files.length > fixedLimits.inFiles) throw refuse(`"files": at most ${fixedLimits.inFiles} files are taken`);
	for (const file of files) {
		if ((await sizeOf(file)) > fixedLimits.inFileBytes)
			throw refuse(`"files": ${file.name} has more than ${fixedLimits.inFileBytes} bytes`);
	}
	const names = [...files.map((file) => file.name), ...(hasData ? [dataName] : [])];
	if (new Set(names).size < names.length) throw refuse('"files": two files have the same name');
}

export async function shareInputs({ files, data }: JobRequest) {
	if (files.length === 0 && data === undefined) return undefined;
	await checkFiles(files, data !== undefined);
	const shared = files.map(({ name, path, base64 }) => ({
		name,
		content: path === undefined ? Buffer.from(base64 ?? '', 'base64') : { hostPath: path },
	}));
	const json = data === undefined ? [] : [{ name: dataName, content: Buffer.from(JSON.stringify(data)) }];
	const folder = RunFolder.create();
	const path = await folder.share('in', [...shared, ...json]);
	return { path, remove: () => folder.discard() };
}
