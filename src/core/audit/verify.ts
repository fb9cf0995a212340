/** Verifies an audit from its files alone: every line, what lies beside the lines, and what was signed outside the database. */
import { devicePublicKeys, readPublicKeys } from './device-key.ts';
import type { Finding } from './explain.ts';
import { checkOutput } from './output-check.ts';
import { databaseFile, devicePublicKeyFile, stateFolder } from './places.ts';
import { AuditReader, Damaged } from './reader.ts';
import { WitnessCheck } from './verify-witness.ts';
import { type Keys, Walk } from './walk.ts';

export interface VerifyOptions {
	/** Folder of the agent. */
	readonly dir: string;
	/** File with the device's public keys (PEM); absent: the one in the folder. */
	readonly keyFile?: string | undefined;
	/** Files of checkpoints that were kept elsewhere, one JSON in a line. */
	readonly checkpointFiles?: readonly string[] | undefined;
	/** Compare the stored output of jobs, too, which may be long. */
	readonly checksOutput?: boolean | undefined;
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
		const found = inside ?? cut ?? (await witness.complete(reader, walk.last));
		if (found || !options.checksOutput) return finish(found);
		return finish(await checkOutput(stateFolder(options.dir), walk.sums));
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
