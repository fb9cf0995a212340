/** How results of devices leave a node: one object for one device, rows for several; cut for a model, with a way to the rest. */
import type { NodeExecutionHint } from 'n8n-workflow';
import { fixedLimits } from '../../src/contract/limits.ts';
import type { RemoteResult } from '../../src/contract/remote.ts';
import { cutMiddle } from '../../src/core/text.ts';
import type { NodeContext } from '../shared/context.ts';

function cutRow(result: RemoteResult, mostBytes: number): RemoteResult {
	const stdout = cutMiddle(result.stdout, mostBytes);
	const stderr = cutMiddle(result.stderr, mostBytes);
	const truncated = {
		stdout: result.truncated.stdout || stdout.truncated,
		stderr: result.truncated.stderr || stderr.truncated,
	};
	return { ...result, stdout: stdout.text, stderr: stderr.text, truncated };
}

/** Many rows share what one row may say, down to what still says something. */
const leastRowBytes = 256;

/** All rows of one stream that a process holds at a time; one device may say all of it. */
const heldBytes = 64 * 1024 * 1024;

/** Whole for a workflow, unless many devices say very much at once; the rest is on each device. */
export const forWorkflow = (result: RemoteResult, devices: number): RemoteResult =>
	devices === 1 ? result : cutRow(result, Math.floor(heldBytes / devices));

export function forModel(results: readonly RemoteResult[]): object {
	const mostBytes = Math.max(leastRowBytes, Math.floor(fixedLimits.modelTextBytes / results.length));
	const rows = results.map((result) => cutRow(result, mostBytes));
	const [first] = rows;
	if (rows.length === 1 && first) return first;
	return { devices: rows.length, succeeded: rows.filter(({ status }) => status === 'succeeded').length, results: rows };
}

function sentenceFor({ device, status, exitCode, problem, approval }: RemoteResult): string {
	if (approval) return `${device}: ${approval.message}.`;
	const code = exitCode === null ? '' : `, exit code ${exitCode}`;
	return `${device}: ${status}${code}.${problem ? ` ${problem.message}` : ''}`;
}

export function hintFor(results: readonly RemoteResult[]): NodeExecutionHint {
	const failed = results.filter(({ status }) => status !== 'succeeded');
	const [first] = results;
	const message =
		results.length === 1 && first
			? sentenceFor(first)
			: `${results.length} devices, ${failed.length} of them not succeeded: ${failed.slice(0, 5).map(sentenceFor).join(' ')}`;
	return { message, type: failed.length === 0 ? 'info' : 'warning', location: 'outputPane' };
}

/** Never commands, output or keys. */
export function logResults(context: NodeContext, results: readonly RemoteResult[]): void {
	for (const { device, protocol, status, exitCode, durationMs, jobId, problem } of results)
		context.logger.info(`Remote Shell: ${status}`, {
			...{ device, protocol, status, exitCode, durationMs, jobId },
			problem: problem?.code ?? null,
		});
}
