/** Counts of the jobs of QuickCMD, in its own words and from the moment they are accepted; of no other protocol. */
import { isOver, type JobView } from '../../contract/device-job.ts';
import type { JobCounts } from './face.ts';
import { quickCmdStatusOf } from './faces/quickcmd-status.ts';

export class QuickCmdCounts {
	/** Jobs that are not over, and whether each runs. */
	readonly #open = new Map<string, boolean>();
	#total = 0;
	readonly #ended = { completed: 0, failed: 0 };

	/** Hears every change of a job's state. */
	changed(job: JobView): void {
		if (job.face !== 'quickcmd') return;
		const { jobId, state } = job;
		if (!this.#open.has(jobId)) this.#total++;
		this.#open.set(jobId, state === 'running');
		if (!isOver(state)) return;
		this.#open.delete(jobId);
		this.#ended[quickCmdStatusOf(job) === 'completed' ? 'completed' : 'failed']++;
	}

	get counts(): JobCounts {
		const running = [...this.#open.values()].filter((isRunning) => isRunning).length;
		return { total: this.#total, running, ...this.#ended };
	}
}
