/** The calls of the native protocol about jobs: hand in, look, wait, cancel, explain. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isOver, type JobView } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import { may, type Principal } from '../../../contract/principal.ts';
import { nativePath } from '../../wire/native-routes.ts';
import type { FaceParts } from '../face.ts';
import type { NativeAuth } from './native-auth.ts';
import type { Handlers } from './native-call.ts';
import { Submitter } from './native-submit.ts';

type JobHandlers = Pick<
	Handlers,
	'submitJob' | 'listJobs' | 'getJob' | 'waitForJob' | 'forgetOutput' | 'cancelJob' | 'explainJob'
>;

type Parts = Pick<FaceParts, 'jobs' | 'stopping'>;

/** The job, if this principal may see it. */
export function jobFor({ jobs }: Pick<FaceParts, 'jobs'>, principal: Principal, jobId: string): JobView {
	const job = jobs.get(principal, jobId);
	if (!job) throw new KnownError('JOB_NOT_FOUND');
	return job;
}

/** As the job stands after so long at most, or when it is over, waits for approval, or the agent stops. */
async function settled({ jobs, stopping }: Parts, job: JobView, ms: number): Promise<JobView> {
	if (ms === 0 || stopping.aborted) return job;
	const done = new AbortController();
	const signal = AbortSignal.any([stopping, done.signal]);
	const stopped = sleep(ms, job, { signal }).catch(() => job);
	return Promise.race([jobs.settle(job.jobId, ms), stopped]).finally(() => done.abort());
}

/** In a list the texts would weigh more than all the rest. */
const withoutTexts = (job: JobView): JobView =>
	job.result ? { ...job, result: { ...job.result, stdout: '', stderr: '' } } : job;

function refuseUnlessMay(principal: Principal, action: 'submit' | 'cancel', what: string): void {
	if (!may(principal, action)) throw new KnownError('AUTH_FORBIDDEN', { details: `it has not the role to ${what}` });
}

export function jobHandlers(parts: Parts, auth: NativeAuth): JobHandlers {
	const { jobs } = parts;
	const submitter = new Submitter(jobs);
	return {
		async submitJob({ asked, query, reply }) {
			const { job, isNew } = await submitter.submit(await auth.job(asked));
			reply.code(isNew ? 202 : 200).header('location', nativePath('getJob', { jobId: job.jobId }));
			return settled(parts, job, query.wait);
		},
		listJobs({ caller, query: { state, limit, before } }) {
			const filter = { limit: limit + 1, ...(state && { state }), ...(before !== undefined && { before }) };
			const found = jobs.list(caller.principal, filter);
			const shown = found.slice(0, limit);
			return { jobs: shown.map(withoutTexts), next: found.length > limit ? (shown.at(-1)?.jobId ?? null) : null };
		},
		getJob: ({ caller, params }) => jobFor(parts, caller.principal, params.jobId),
		waitForJob: ({ caller, params, query }) => settled(parts, jobFor(parts, caller.principal, params.jobId), query.ms),
		async cancelJob({ caller, params: { jobId } }) {
			jobFor(parts, caller.principal, jobId);
			refuseUnlessMay(caller.principal, 'cancel', 'cancel jobs');
			return jobs.cancel(caller.principal, jobId);
		},
		forgetOutput({ caller, params: { jobId } }) {
			const job = jobFor(parts, caller.principal, jobId);
			refuseUnlessMay(caller.principal, 'cancel', 'delete output');
			if (!isOver(job.state))
				throw new KnownError('REQUEST_INVALID', { details: 'the job is not over yet; cancel it first' });
			if (!jobs.forget(caller.principal, jobId))
				throw new KnownError('AUTH_FORBIDDEN', { details: 'only its owner and an admin delete the output of a job' });
			return jobFor(parts, caller.principal, jobId);
		},
		async explainJob({ caller, body }) {
			refuseUnlessMay(caller.principal, 'submit', 'submit jobs');
			return jobs.explain(caller.principal, body.job);
		},
	};
}
