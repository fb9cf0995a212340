/** The audit as text: lines of JSON and CSV for programs, one line each for people. Pure. */
import type { AuditRecord } from '../../contract/audit.ts';
import { sealedFields } from './chain.ts';

export interface Printed {
	readonly record: AuditRecord;
	/** JSON; null when there is none. */
	readonly detail: string | null;
}

const columns = [...sealedFields, 'seal'] as const;

function parsed(detail: string | null): unknown {
	try {
		return detail === null ? null : JSON.parse(detail);
	} catch {
		return detail;
	}
}

const jsonLine = ({ record, detail }: Printed): string =>
	JSON.stringify({ ...Object.fromEntries(columns.map((name) => [name, record[name]])), detail: parsed(detail) });

/** RFC 4180; a cell that is null is empty. */
function cell(value: string | number | null): string {
	const text = value === null ? '' : String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvLine = ({ record, detail }: Printed): string =>
	[...columns.map((name) => record[name]), detail].map(cell).join(',');

export const formats = { jsonl: jsonLine, csv: csvLine } as const;
export type Format = keyof typeof formats;

/** What stands above the lines; undefined for nothing. */
export const headingOf = (format: Format): string | undefined =>
	format === 'csv' ? [...columns, 'detail'].join(',') : undefined;

const shown = [
	'jobId',
	'requestId',
	'face',
	'principal',
	'keyId',
	'capability',
	'decision',
	'rule',
	'approvalId',
] as const;
const shownLast = ['status', 'exitCode', 'stdoutBytes', 'stderrBytes', 'backend'] as const;

/** What a client chose may hold anything, and must not move the cursor of whoever reads it. */
const plain = (value: string | number): string =>
	/^[\w.:/@+-]+$/.test(String(value))
		? String(value)
		: JSON.stringify(value).replaceAll(
				/[^\x20-\x7e]/g,
				(one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
			);

export function humanLine(record: AuditRecord): string {
	const words = [...shown, ...shownLast].flatMap((name) => {
		const value = record[name];
		return value === null ? [] : [`${name}=${plain(value)}`];
	});
	return [record.seq, plain(record.at), plain(record.event), ...words].join(' ');
}
