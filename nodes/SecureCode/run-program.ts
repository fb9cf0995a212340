/** Runs one program of a node with its files, and hands over what it leaves; the same for the tool and for the step. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRequestInput, Problem } from '../../src/contract/job.ts';
import { withoutRun, withProblem } from '../../src/core/result.ts';
import type { NodeContext } from '../shared/context.ts';
import { type Delivery, deliverFiles, withoutFiles } from '../shared/deliver-files.ts';
import { newRunFolder, runJob, type SecretsOfJob } from '../shared/executor.ts';
import { liveFor } from '../shared/live.ts';
import { dataFor } from './data-in.ts';
import type { FileSettings } from './file-settings.ts';
import { chooseFiles, filesFor, layOutFiles } from './files-in.ts';
import { sessionFor } from './session-for.ts';
import type { SessionSettings } from './session-settings.ts';

export interface Wanted {
	readonly request: JobRequestInput;
	readonly secrets: SecretsOfJob;
	readonly files: FileSettings;
	readonly session: SessionSettings | undefined;
	/** Whether a chat that is streamed sees what the program prints. */
	readonly isStreamed: boolean;
	/** Files that the model names. */
	readonly asked: readonly unknown[];
	/** Names that a model's arguments may have; empty for a step. */
	readonly spread: readonly string[];
}

export const refusedBecause = (problem: Problem): Delivery => withoutFiles(withoutRun('denied', problem));

/** What lies in the folder is gone when this is over, whatever happens. */
export async function runProgram(context: NodeContext, wanted: Wanted, itemIndex: number): Promise<Delivery> {
	const { files, asked, spread } = wanted;
	const choice = chooseFiles(asked, filesFor(context, itemIndex, files, spread), files.mode);
	if ('problem' in choice) return refusedBecause(choice.problem);
	const session = await sessionFor(context, itemIndex, wanted.session);
	const folder = await newRunFolder();
	try {
		const given = await layOutFiles(context, choice, join(folder.path, 'given'));
		const request = { ...wanted.request, ...dataFor(context, itemIndex, files, spread), files: given };
		const outDir = files.isReturned ? join(folder.path, 'out') : undefined;
		if (outDir !== undefined) await mkdir(outDir, { mode: 0o700 });
		const { onOutput, end } = liveFor(context, itemIndex, wanted.isStreamed);
		const result = await runJob(context, request, wanted.secrets, { outDir, session, onOutput }).finally(end);
		return await deliverFiles(context, choice.leftOut ? withProblem(result, choice.leftOut) : result, files.linkHours);
	} finally {
		folder.discard();
	}
}
