/** Verifies an audit from its files alone: every line, what lies beside the lines, and what was signed outside the database. */
import type { KeyObject } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import type { AuditRecord } from '../../contract/audit.ts';
import { deviceHashOf, genesis, sha256, shellEvalHashOf } from './chain.ts';
import { isSigned, readCheckpoint } from './checkpoint.ts';
import { devicePublicKeys, readPublicKeys } from './device-key.ts';
import { explainLine, type Finding } from './explain.ts';
import { databaseFile, devicePublicKeyFile, stateFolder } from './places.ts';
import { AuditReader, type AuditRow, Damaged } from './reader.ts';
import { WitnessCheck } from './verify-witness.ts';

export interface VerifyOptions {
	/** Folder of the agent. */
	readonly dir: string;
	/** File with the device's public keys (PEM); absent: the one in the folder. */
	readonly keyFile?: string | undefined;
	/** Files of checkpoints that were kept elsewhere, one JSON in a line. */
	readonly checkpointFiles?: readonly string[] | undefined;
}

export interface Verification {
	readonly status: 'intact' | 'broken' | 'unreadable';
	/** Lines that were found good. */
	readonly rows: number;
	/** Signed checkpoints that fit. */
	readonly checkpoints: number;
	/** Seal of the last good line. */
	readonly seal: string | null;
	readonly firstBad: Finding | null;
	/** Why it could not be read; null otherwise. */
	readonly problem: string | null;
}

type Keys = ReadonlyMap<string, KeyObject>;

/** Lines between two turns of the event loop. */
const linesAtOnce = 100;

interface Vouches {
	readonly auditLog?: unknown;
	readonly shellEval?: unknown;
}

/** The hashes of a detail whose own hash fits. */
function vouchesOf(detail: string): Vouches {
	try {
		return (JSON.parse(detail) as { vouches?: Vouches } | null)?.vouches ?? {};
	} catch {
		return {};
	}
}

/** One way through the lines, from the first to the last. */
class Walk {
	readonly #reader: AuditReader;
	readonly #keys: Keys;
	readonly #beside = { details: 0, deviceLines: 0, shellEvals: 0 };
	last = 0;
	prev = genesis;
	checkpoints = 0;

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
		return record.event === 'checkpoint' ? this.#checkpoint(record, detail) : this.#vouched(seq, vouchesOf(detail));
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

const unreadable = (problem: string): Verification => ({
	...{ status: 'unreadable', rows: 0, checkpoints: 0, seal: null, firstBad: null },
	problem,
});

/** A reader, or why there is none. */
function openAudit(dir: string): AuditReader | string {
	try {
		return new AuditReader(databaseFile(dir));
	} catch (error) {
		return `${databaseFile(dir)} cannot be read as a database (${(error as Error).message})`;
	}
}

/** The tables must be what they were made as: a view in the place of a table could tell anything. */
function checkTables(reader: AuditReader): Finding | undefined {
	const strange = reader.strangeTables();
	if (strange.length === 0) return undefined;
	return { seq: 0, what: 'schema', message: `the table ${strange[0]} is missing or was made anew in another form` };
}

async function look(reader: AuditReader, keys: Keys, options: VerifyOptions): Promise<Verification> {
	const walk = new Walk(reader, keys);
	const finish = (firstBad: Finding | undefined): Verification => ({
		status: firstBad ? 'broken' : 'intact',
		rows: walk.last,
		checkpoints: walk.checkpoints,
		seal: walk.last > 0 ? walk.prev : null,
		firstBad: firstBad ?? null,
		problem: null,
	});
	try {
		const strange = checkTables(reader);
		if (strange) return finish(strange);
		// What stands outside is read first: the database of an agent that runs is always ahead of it.
		const witness = new WitnessCheck(stateFolder(options.dir), options.checkpointFiles ?? [], keys);
		const outside = await witness.compare(reader);
		const inside = await walk.toEnd();
		const cut = outside?.what === 'cut' ? { ...outside, seq: walk.last + 1 } : outside;
		return finish(inside ?? cut ?? (await witness.complete(reader, walk.last)));
	} catch (error) {
		if (!(error instanceof Damaged)) throw error;
		const seq = walk.last + 1;
		return finish({ seq, what: 'damaged', message: `the database is damaged at row ${seq} (${error.message})` });
	}
}

/** Reads while the agent runs, and never keeps it waiting. Throws for nothing that lies in the folder. */
export async function verifyAudit(options: VerifyOptions): Promise<Verification> {
	let keys: Keys;
	try {
		keys = options.keyFile === undefined ? devicePublicKeys(options.dir) : readPublicKeys(options.keyFile);
	} catch {
		const keyFile = options.keyFile ?? devicePublicKeyFile(options.dir);
		return unreadable(
			`${keyFile} does not hold the public key of the device, without which no checkpoint can be verified`,
		);
	}
	const reader = openAudit(options.dir);
	if (typeof reader === 'string') return unreadable(reader);
	try {
		return await look(reader, keys, options);
	} catch (error) {
		return unreadable((error as Error).message);
	} finally {
		reader.close();
	}
}
