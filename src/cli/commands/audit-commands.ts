/** What may follow "secure-code audit". */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { KnownError } from '../../contract/error.ts';
import { databaseFile } from '../../core/audit/places.ts';
import { type Format, formats, headingOf, humanLine } from '../../core/audit/print.ts';
import { AuditReader, type AuditRow } from '../../core/audit/reader.ts';
import { type Verification, verifyAudit } from '../../core/audit/verify.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command, Typed } from '../command.ts';
import { type Flags, text, texts } from '../flags.ts';

const exitCodes: Record<Verification['status'], number> = { intact: 0, broken: 1, unreadable: 2 };
const unreadable = 2;

const json = { json: { type: 'boolean', help: 'print JSON' } } as const satisfies Flags;

function refuseWords(name: string, { positionals }: Typed): void {
	if (positionals.length > 0) throw new KnownError('USAGE', { details: `audit ${name} takes no "${positionals[0]}"` });
}

function describe({ status, rows, checkpoints, seal, firstBad, problem }: Verification): string {
	if (status === 'unreadable') return `The audit cannot be read: ${problem}.\n`;
	const good = `${rows} rows and ${checkpoints} signed checkpoints`;
	if (firstBad) return `BROKEN (${firstBad.what}): ${firstBad.message}.\nBefore it, ${good} are good.\n`;
	return `Intact: ${good}.${seal === null ? '' : `\nThe last seal is ${seal}.`}\n`;
}

const verify: Command = {
	flags: {
		...dirFlag,
		key: { type: 'string', value: 'FILE', help: 'public keys of the device in PEM (default: from its folder)' },
		checkpoints: {
			type: 'string',
			multiple: true,
			value: 'FILE',
			help: 'checkpoints of this device that were kept elsewhere, one JSON in a line',
		},
		...json,
	},
	help: `Verifies the audit from the first row to the last, and names the first that is bad.

Usage: secure-code audit verify [--dir D] [--checkpoints FILE] [--key FILE] [--json]

Exit codes: 0 intact, 1 broken, 2 cannot be read.
`,
	async act(typed) {
		refuseWords('verify', typed);
		const { values } = typed;
		const found = await verifyAudit({
			dir: agentFolder(values),
			keyFile: text(values, 'key'),
			checkpointFiles: texts(values, 'checkpoints'),
			checksOutput: true,
		});
		process.stdout.write(values.json === true ? `${JSON.stringify(found)}\n` : describe(found));
		return exitCodes[found.status];
	},
};

/** @returns the exit code: what `read` says, or that of an audit that cannot be read */
async function reading(typed: Typed, read: (reader: AuditReader) => Promise<number>): Promise<number> {
	const file = databaseFile(agentFolder(typed.values));
	let reader: AuditReader | undefined;
	try {
		reader = new AuditReader(file);
		return await read(reader);
	} catch (error) {
		if (KnownError.is(error)) throw error;
		process.stderr.write(`secure-code: ${file} cannot be read (${(error as Error).message})\n`);
		return unreadable;
	} finally {
		reader?.close();
	}
}

async function print(line: string): Promise<void> {
	if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

/** @returns the number of the last line; throws at one that is not what a line should be */
async function printAfter(
	reader: AuditReader,
	seq: number,
	toLine: (row: AuditRow, detail: string | null) => string,
): Promise<number> {
	let last = seq;
	for (const row of reader.linesAfter(seq)) {
		if ('unsound' in row) throw new Error(`row ${row.unsound} is not what was written; see "secure-code audit verify"`);
		await print(toLine(row, reader.detailOf(row.record.seq) ?? null));
		last = row.record.seq;
	}
	return last;
}

function formatOf(values: Typed['values']): Format {
	const format = text(values, 'format') ?? 'jsonl';
	if (Object.hasOwn(formats, format)) return format as Format;
	throw new KnownError('USAGE', { details: `--format ${format}: must be jsonl or csv` });
}

const exportAll: Command = {
	flags: { ...dirFlag, format: { type: 'string', value: 'F', help: 'jsonl (default) or csv' } },
	help: `Writes every row of the audit with its detail to stdout. It does not verify them.

Usage: secure-code audit export [--dir D] [--format jsonl|csv]

Exit codes: 0 all rows were written, 2 the audit cannot be read.
`,
	async act(typed) {
		refuseWords('export', typed);
		const format = formatOf(typed.values);
		return reading(typed, async (reader) => {
			const heading = headingOf(format);
			if (heading !== undefined) await print(heading);
			await printAfter(reader, 0, ({ record }, detail) => formats[format]({ record, detail }));
			return 0;
		});
	},
};

/** Between two looks for new rows. */
const followMs = 300;
const mostLines = 1_000_000;

function countOf(values: Typed['values']): number {
	const typed = text(values, 'lines') ?? '10';
	if (/^\d{1,7}$/.test(typed) && Number(typed) <= mostLines) return Number(typed);
	throw new KnownError('USAGE', { details: `--lines ${typed}: must be a number from 0 to ${mostLines}` });
}

const tail: Command = {
	flags: {
		...dirFlag,
		lines: { type: 'string', short: 'n', value: 'N', help: 'how many rows (default 10)' },
		follow: { type: 'boolean', short: 'f', help: 'go on with rows as they come, until it is interrupted' },
		...json,
	},
	help: `Shows the last rows of the audit. It does not verify them.

Usage: secure-code audit tail [--dir D] [-n N] [--follow] [--json]

Exit codes: 0 rows were shown, 2 the audit cannot be read.
`,
	async act(typed, signal) {
		refuseWords('tail', typed);
		const count = countOf(typed.values);
		const toLine = ({ record }: AuditRow, detail: string | null) =>
			typed.values.json === true ? formats.jsonl({ record, detail }) : humanLine(record);
		return reading(typed, async (reader) => {
			let last = await printAfter(reader, reader.beforeLast(count), toLine);
			while (typed.values.follow === true && !signal.aborted) {
				await wait(followMs, undefined, { signal }).catch(() => {});
				if (!signal.aborted) last = await printAfter(reader, last, toLine);
			}
			return 0;
		});
	},
};

export const auditCommands: Readonly<Record<string, Command>> = { verify, export: exportAll, tail };
