/** The words for how a job ended. Plain data: n8n reads it at start. */

export const jobStatuses = [
	'succeeded',
	'failed',
	'timed_out',
	'out_of_memory',
	'output_exceeded',
	'killed',
	'denied',
	'cancelled',
	'broken',
] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** What each status word means, for documents and for the model. */
export const statusMeanings: Record<JobStatus, string> = {
	succeeded: 'The program ended with exit code 0.',
	failed: 'The program ended with another exit code; stderr says why.',
	timed_out: 'The program was still running at its time limit and was killed.',
	out_of_memory: 'The program needed more memory than its limit and was killed.',
	output_exceeded: 'The program flooded its output and was killed.',
	killed: 'A signal ended the program, for example a crash.',
	denied: 'The check or the policy refused the program; nothing was run.',
	cancelled: 'The caller cancelled the job; the program was killed.',
	broken: 'The sandbox failed; the program is not to blame.',
};
