/** Hands signed jobs in, so that the same bytes, and the same idempotency key, are the same job, whenever they come. */
import type { JobView } from '../../../contract/device-job.ts';
import type { Jobs } from '../ports.ts';
import type { SubmittedJob } from './native-auth.ts';

export interface HandedIn {
	readonly job: JobView;
	/** False: it was there before. */
	readonly isNew: boolean;
}

export class Submitter {
	readonly #jobs: Jobs;
	/** What is on its way in at this moment, by principal and bytes. */
	readonly #arriving = new Map<string, Promise<JobView>>();

	constructor(jobs: Jobs) {
		this.#jobs = jobs;
	}

	async submit({ principal, submission }: SubmittedJob): Promise<HandedIn> {
		const { clientId } = submission;
		const key = `${principal.name}\0${clientId}`;
		const arriving = this.#arriving.get(key);
		if (arriving) return { job: await arriving, isNew: false };
		const same = this.#jobs.findByClientId(principal, 'native', clientId);
		if (same) return { job: same, isNew: false };
		const submitted = this.#jobs.submit(principal, submission).finally(() => this.#arriving.delete(key));
		this.#arriving.set(key, submitted);
		const job = await submitted;
		return { job, isNew: this.#jobs.findByClientId(principal, 'native', clientId)?.jobId === job.jobId };
	}
}
