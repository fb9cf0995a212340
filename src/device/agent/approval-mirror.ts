/** Writes each request and each answer as a line of a file, for tools that read the queue of device_agent (approval_queue.jsonl). */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { Approval } from '../../contract/approval.ts';
import type { Command } from '../../contract/device-job.ts';
import type { Log } from './face.ts';
import type { Store } from './ports.ts';

const appendOnly = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

const textOf = (command: Command): string => (command.mode === 'argv' ? command.argv.join(' ') : command.script);

/** A mirror is a copy for people: when it cannot be written, the agent says so and goes on. */
export class ApprovalMirror {
	readonly #path: string | undefined;
	readonly #store: Pick<Store, 'jobRow'>;
	readonly #log: Log;

	/** @param path absent: nothing is mirrored */
	constructor(path: string | undefined, store: Pick<Store, 'jobRow'>, log: Log) {
		this.#path = path;
		this.#store = store;
		this.#log = log;
	}

	requested(approval: Approval): void {
		this.#write(approval, approval.requestedAt);
	}

	answered(approval: Approval): void {
		if (approval.state !== 'pending') this.#write(approval, approval.answeredAt ?? approval.requestedAt);
	}

	/** In the words of the caller: its id, and its command as it came, not as it will run. */
	#write(approval: Approval, at: number): void {
		if (this.#path === undefined) return;
		const job = this.#store.jobRow(approval.jobId);
		const line = {
			ts: new Date(at).toISOString(),
			request_id: job?.clientId ?? approval.jobId,
			approval_id: approval.approvalId,
			cmd: textOf(job?.draft.command ?? approval.plan),
			cwd: approval.cwd ?? '',
			capability: approval.capability,
			status: approval.state,
		};
		try {
			const file = openSync(this.#path, appendOnly, 0o600);
			writeSync(file, `${JSON.stringify(line)}\n`);
			closeSync(file);
		} catch (error) {
			this.#log.warn({ error: (error as Error).message }, 'the mirror of the approvals could not be written');
		}
	}
}
