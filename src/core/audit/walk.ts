/** One way through the lines of an audit, from the first to the last, and through what they vouch for. */
import type { KeyObject } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import type { AuditRecord } from '../../contract/audit.ts';
import { deviceHashOf, genesis, sha256, shellEvalHashOf } from './chain.ts';
import { isSigned, readCheckpoint } from './checkpoint.ts';
import { explainLine, type Finding } from './explain.ts';
import { type StoredSum, sumsOf } from './output-check.ts';
import type { AuditReader, AuditRow } from './reader.ts';

export type Keys = ReadonlyMap<string, KeyObject>;

/** Lines between two turns of the event loop. */
const linesAtOnce = 100;

interface Vouches {
	readonly auditLog?: unknown;
	readonly shellEval?: unknown;
}

interface Detail {
	readonly vouches?: Vouches;
	readonly output?: unknown;
}

/** A detail whose own hash fits. */
function parsed(detail: string): Detail {
	try {
		return (JSON.parse(detail) as Detail | null) ?? {};
	} catch {
		return {};
	}
}

export class Walk {
	readonly #reader: AuditReader;
	readonly #keys: Keys;
	readonly #beside = { details: 0, deviceLines: 0, shellEvals: 0 };
	last = 0;
	prev = genesis;
	checkpoints = 0;
	/** What the lines say of stored output. */
	readonly sums: StoredSum[] = [];

	constructor(reader: AuditReader, keys: Keys) {
		this.#reader = reader;
		this.#keys = keys;
	}

	/** @returns the first thing that is wrong */
	async toEnd(): Promise<Finding | undefined> {
		const below = this.#reader.lineBelow(1);
		if (below !== undefined) return { seq: below, what: 'added', message: `row ${below} was added before the first` };
		for (const found of this.#reader.linesAfter(0)) {
			const finding = 'unsound' in found ? this.#unsound(found.unsound) : this.#line(found);
			if (finding) return finding;
			if (this.last % linesAtOnce === 0) await breathe();
		}
		return this.#strangers();
	}

	#unsound(seq: number): Finding {
		const next = this.last + 1;
		if (seq !== next) return { seq: next, what: 'missing', message: `row ${next} is missing` };
		return { seq, what: 'changed', message: `row ${seq} was changed: it holds a value of another kind` };
	}

	#line({ record, isExact }: AuditRow): Finding | undefined {
		const expected = { seq: this.last + 1, prev: this.prev };
		const finding =
			explainLine(record, expected, (seal) => this.#reader.seqOf(seal)) ??
			(isExact ? this.#detail(record) : notText(record.seq));
		if (finding) return finding;
		this.last = record.seq;
		this.prev = record.seal;
		return undefined;
	}

	#detail(record: AuditRecord): Finding | undefined {
		const { seq } = record;
		if (record.detailHash === null) return record.event === 'checkpoint' ? badCheckpoint(seq) : undefined;
		const detail = this.#reader.detailOf(seq);
		if (detail === undefined) return { seq, what: 'detail', message: `the detail of row ${seq} is missing` };
		if (detail === null || sha256(detail) !== record.detailHash)
			return { seq, what: 'detail', message: `the detail of row ${seq} was changed` };
		this.#beside.details++;
		if (record.event === 'checkpoint') return this.#checkpoint(record, detail);
		const { vouches = {}, output } = parsed(detail);
		if (record.event === 'job.end') this.sums.push(...sumsOf(seq, record.jobId, output));
		return this.#vouched(seq, vouches);
	}

	#checkpoint({ seq, prev }: AuditRecord, detail: string): Finding | undefined {
		const checkpoint = readCheckpoint(detail);
		const isGood = checkpoint?.seq === seq - 1 && checkpoint.seal === prev && isSigned(checkpoint, this.#keys);
		if (!isGood) return badCheckpoint(seq);
		this.checkpoints++;
		return undefined;
	}

	#vouched(seq: number, { auditLog, shellEval }: Vouches): Finding | undefined {
		if (auditLog === undefined) return undefined;
		const found = this.#reader.deviceLineOf(seq);
		if (found?.id !== this.#beside.deviceLines + 1 || found.hash !== auditLog || deviceHashOf(found.line) !== auditLog)
			return {
				seq,
				what: 'device-log',
				message: `the row of audit_log that belongs to row ${seq} was changed or is missing`,
			};
		this.#beside.deviceLines++;
		if (shellEval === undefined) return undefined;
		const row = this.#reader.shellEvalOf(found.id);
		if (!row || shellEvalHashOf(row) !== shellEval)
			return {
				...{ seq, what: 'shell-eval' },
				message: `the row of audit_shell_eval that belongs to row ${seq} was changed or is missing`,
			};
		this.#beside.shellEvals++;
		return undefined;
	}

	/** Rows beside the lines that no line vouches for. */
	#strangers(): Finding | undefined {
		const found = this.#reader.countBeside(this.last);
		const { details, deviceLines, shellEvals } = this.#beside;
		if (found.details !== details) {
			const seq = this.#reader.lineWithStrangeDetail(this.last) ?? 0;
			return {
				seq,
				what: 'detail',
				message: seq > 0 ? `row ${seq} was given a detail` : 'a detail was added that belongs to no row',
			};
		}
		if (found.deviceLines !== deviceLines)
			return {
				seq: this.last,
				what: 'device-log',
				message: 'audit_log holds a row that no row of the audit vouches for',
			};
		if (found.shellEvals !== shellEvals)
			return {
				seq: this.last,
				what: 'shell-eval',
				message: 'audit_shell_eval holds a row that no row of the audit vouches for',
			};
		return undefined;
	}
}

const notText = (seq: number): Finding => ({
	seq,
	what: 'changed',
	message: `row ${seq} was changed: it holds bytes that are no text`,
});

const badCheckpoint = (seq: number): Finding => ({
	seq,
	what: 'checkpoint',
	message: `row ${seq} is a checkpoint that this device did not sign`,
});
