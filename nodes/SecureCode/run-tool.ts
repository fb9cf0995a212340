/** One call of a model from its raw arguments to the result it reads; the same for every kind of agent. */
import { KnownError } from '../../src/contract/error.ts';
import type { JobResult } from '../../src/contract/job.ts';
import { withoutRun } from '../../src/core/result.ts';
import type { NodeContext } from '../shared/context.ts';
import { runJob } from '../shared/executor.ts';
import { hintFor, logJob } from '../shared/report.ts';
import { cutForModel } from '../shared/to-item.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { parseCall } from './model-arguments.ts';
import { secretsFor } from './secrets-for.ts';
import { readSettings } from './settings.ts';
import { labelsFor, toRequest } from './to-request.ts';

async function answer(context: NodeContext, raw: unknown, itemIndex: number): Promise<JobResult> {
	try {
		const settings = readSettings(context, itemIndex);
		const parsed = parseCall(raw);
		if ('problem' in parsed) return withoutRun('denied', parsed.problem);
		const secrets = await secretsFor(context, settings, parsed.call.credentials ?? [], itemIndex);
		if ('problem' in secrets) return withoutRun('denied', secrets.problem);
		return await runJob(context, toRequest(settings, parsed.call, labelsFor(context, itemIndex)), secrets);
	} catch (error) {
		if (KnownError.is(error) && error.row.audience === 'model') return withoutRun('denied', error.problem);
		throw toNodeError(context, error, itemIndex);
	}
}

/** Throws only what a person must repair. */
export async function runTool(context: NodeContext, raw: unknown, itemIndex: number): Promise<JobResult> {
	const result = await answer(context, raw, itemIndex);
	logJob(context, result);
	context.addExecutionHints(hintFor([result]));
	return cutForModel(result);
}
