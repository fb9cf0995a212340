/** Writes each request and each answer as a line of a file, for tools that read the queue of device_agent (approval_queue.jsonl). */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { Approval } from '../../contract/approval.ts';
import type { Log } from './face.ts';

const appendOnly = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

const commandOf = ({ plan }: Approval): string => (plan.mode === 'argv' ? plan.argv.join(' ') : plan.script);

/** A mirror is a copy for people: when it cannot be written, the agent says so and goes on. */
export class ApprovalMirror {
	readonly #path: string | undefined;
	readonly #log: Log;

	/** @param path absent: nothing is mirrored */
	constructor(path: string | undefined, log: Log) {
		this.#path = path;
		this.#log = log;
	}

	requested(approval: Approval, requestId: string | null): void {
		this.#write(approval, approval.requestedAt, requestId);
	}

	answered(approval: Approval): void {
		if (approval.state !== 'pending') this.#write(approval, approval.answeredAt ?? approval.requestedAt, null);
	}

	#write(approval: Approval, at: number, requestId: string | null): void {
		if (this.#path === undefined) return;
		const line = {
			ts: new Date(at).toISOString(),
			request_id: requestId ?? approval.jobId,
			approval_id: approval.approvalId,
			cmd: commandOf(approval),
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
