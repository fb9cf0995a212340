/** One call of a model from its raw arguments to the result it reads; the same for every kind of agent. */
import { KnownError } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import type { Delivery } from '../shared/deliver-files.ts';
import { hintFor, logJob } from '../shared/report.ts';
import { cutForModel } from '../shared/to-item.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { argumentNames, parseCall } from './model-arguments.ts';
import { refusedBecause, runProgram } from './run-program.ts';
import { secretsFor } from './secrets-for.ts';
import { readSettings } from './settings.ts';
import { labelsFor, toRequest } from './to-request.ts';

async function answer(context: NodeContext, raw: unknown, itemIndex: number): Promise<Delivery> {
	try {
		const settings = readSettings(context, itemIndex);
		const parsed = parseCall(raw);
		if ('problem' in parsed) return refusedBecause(parsed.problem);
		const { call } = parsed;
		const secrets = await secretsFor(context, settings, call.credentials ?? [], itemIndex);
		if ('problem' in secrets) return refusedBecause(secrets.problem);
		const request = toRequest(settings, call, labelsFor(context, itemIndex));
		const { files, session, isStreamed } = settings;
		return await runProgram(
			context,
			{ request, secrets, files, session, isStreamed, asked: call.files ?? [], spread: argumentNames },
			itemIndex,
		);
	} catch (error) {
		if (KnownError.is(error) && error.row.audience === 'model') return refusedBecause(error.problem);
		throw toNodeError(context, error, itemIndex);
	}
}

/** Throws only what a person must repair. */
export async function runTool(context: NodeContext, raw: unknown, itemIndex: number): Promise<Delivery> {
	const { result, binary } = await answer(context, raw, itemIndex);
	logJob(context, result);
	context.addExecutionHints(hintFor([result]));
	return { result: cutForModel(result), binary };
}
