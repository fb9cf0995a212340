/** Keeps device_agent's own chain and its cleartext of scripts beside the audit, for the tools that read them. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { toUSVString } from 'node:util';
import { type DeviceLogLine, deviceHashOf, genesis, type ShellEval, shellEvalHashOf, storable } from './chain.ts';

/** What goes into the detail of the line of the audit that vouches for these rows. */
export interface Vouched {
	readonly auditLog: string;
	readonly shellEval?: string;
}

export class DeviceLog {
	readonly #last: StatementSync;
	readonly #insert: StatementSync;
	readonly #insertEval: StatementSync;

	constructor(db: DatabaseSync) {
		this.#last = db.prepare('SELECT id, this_hash AS hash FROM device_log ORDER BY seq DESC LIMIT 1');
		this.#insert = db.prepare('INSERT INTO device_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
		this.#insertEval = db.prepare('INSERT INTO audit_shell_eval VALUES (?, ?, ?, ?, ?, ?)');
	}

	/** @param seq the line of the audit that comes with it */
	append(seq: number, given: Omit<DeviceLogLine, 'prev_hash'>, evaluated: ShellEval | undefined): Vouched {
		const last = this.#last.get() as { id: number; hash: string } | undefined;
		const id = (last?.id ?? 0) + 1;
		const line = {
			...given,
			request_id: storable(given.request_id),
			capability: storable(given.capability),
			args_hash: storable(given.args_hash),
			prev_hash: last?.hash ?? genesis,
		};
		const auditLog = deviceHashOf(line);
		const { ts, request_id, capability, args_hash, exit_code, prev_hash } = line;
		this.#insert.run(seq, id, ts, request_id, capability, args_hash, exit_code, prev_hash, auditLog);
		return evaluated ? { auditLog, shellEval: this.#keepEval(id, evaluated) } : { auditLog };
	}

	#keepEval(id: number, { cmd, cwd, shell, stdout_b64, stderr_b64 }: ShellEval): string {
		const clean = (text: string) => toUSVString(text).replaceAll('\0', '\ufffd');
		const row = { cmd: clean(cmd), cwd: clean(cwd), shell: clean(shell), stdout_b64, stderr_b64 };
		this.#insertEval.run(id, row.cmd, row.cwd, row.shell, stdout_b64, stderr_b64);
		return shellEvalHashOf(row);
	}
}
