/** Says of a line that does not fit into the chain what was done to it. Pure. */
import type { AuditRecord } from '../../contract/audit.ts';
import { sealOf } from './chain.ts';

export const faults = [
	'changed',
	'missing',
	'added',
	'swapped',
	'detail',
	'device-log',
	'shell-eval',
	'output',
	'checkpoint',
	'cut',
	'damaged',
	'schema',
] as const;
export type Fault = (typeof faults)[number];

/** The first thing that is wrong, and in which line. */
export interface Finding {
	readonly seq: number;
	readonly what: Fault;
	readonly message: string;
}

export interface Expected {
	readonly seq: number;
	readonly prev: string;
}

/** @param seqOf finds the line that has a seal @returns undefined for a line that fits */
export function explainLine(
	record: AuditRecord,
	expected: Expected,
	seqOf: (seal: string) => number | undefined,
): Finding | undefined {
	const { seq } = expected;
	if (record.seq !== seq) {
		const last = record.seq - 1;
		const which = last > seq ? `rows ${seq} to ${last} are` : `row ${seq} is`;
		return { seq, what: 'missing', message: `${which} missing` };
	}
	const isSealed = sealOf(record) === record.seal;
	if (isSealed && record.prev === expected.prev) return undefined;
	if (isSealed)
		return { seq, what: 'changed', message: `row ${seq} was sealed anew: it does not follow the row before it` };
	if (record.prev === expected.prev) return { seq, what: 'changed', message: `row ${seq} was changed` };
	return explainMoved(record, seqOf(record.prev));
}

/** A line under a number that is not its own. @param before the line that it followed when it was written */
function explainMoved(record: AuditRecord, before: number | undefined): Finding {
	const { seq } = record;
	const moved = (from: number) => sealOf({ ...record, seq: from }) === record.seal;
	if (before !== undefined && moved(before + 1))
		return { seq, what: 'swapped', message: `row ${seq} was swapped: it is what was written as row ${before + 1}` };
	if (moved(seq + 1))
		return { seq, what: 'missing', message: `row ${seq} is missing, and those after it were renumbered` };
	return { seq, what: 'changed', message: `row ${seq} was changed` };
}
