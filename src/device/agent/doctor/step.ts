/** One thing that the doctor looks at: how it is, and the one fix if it is not as it should be. Pure. */
import { KnownError } from '../../../contract/error.ts';
import type { ProbeStep } from '../../../core/sandbox/backend.ts';

export type Step = ProbeStep;

export const ok = (name: string, detail: string): Step => ({ name, status: 'ok', detail, fix: null });
export const reduced = (name: string, detail: string, fix: string): Step => ({ name, status: 'reduced', detail, fix });
export const failed = (name: string, detail: string, fix: string): Step => ({ name, status: 'failed', detail, fix });

/** What an error of ours says, as a step that failed. */
export function failure(name: string, error: unknown): Step {
	if (KnownError.is(error)) return failed(name, error.problem.message, error.problem.next);
	return failed(name, (error as Error).message, 'Report this with the words above; the doctor did not expect it.');
}

/** A look that throws is one that failed. */
export async function look(name: string, act: () => Step[] | Promise<Step[]>): Promise<Step[]> {
	try {
		return await act();
	} catch (error) {
		return [failure(name, error)];
	}
}
