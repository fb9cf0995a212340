/** The red node: what a person must repair, or our own mistake with the id under which the log tells the story. */
import { randomUUID } from 'node:crypto';
import { NodeOperationError } from 'n8n-workflow';
import { KnownError, problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import type { NodeContext } from './context.ts';

function problemOf(context: NodeContext, error: unknown): Problem {
	if (KnownError.is(error)) return error.problem;
	const id = randomUUID().slice(0, 8);
	const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
	context.logger.error(`Secure Code: unexpected error ${id}`, { id, story });
	return problemFor('INTERNAL', { id });
}

export function toNodeError(context: NodeContext, error: unknown, itemIndex: number): NodeOperationError {
	if (error instanceof NodeOperationError) return error;
	const { message, next } = problemOf(context, error);
	return new NodeOperationError(context.getNode(), message, { description: next, itemIndex });
}
