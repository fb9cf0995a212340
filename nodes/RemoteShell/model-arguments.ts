/** What a model asks for: a command and the name of a device, or a piece of an earlier output. Wrong arguments become words it can act on. */
import type { Command } from '../../src/contract/device-job.ts';
import { problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import type { ReadRequest } from '../../src/device/client/client.ts';
import type { NodeContext } from '../shared/context.ts';
import { readFromAi } from '../shared/from-ai.ts';

export interface RunCall {
	readonly command: Command;
	/** Absent: the only device there is. */
	readonly devices: readonly string[] | undefined;
}

export interface JobCall {
	readonly jobId: string;
	readonly devices: readonly string[] | undefined;
	readonly read: ReadRequest;
}

export type Parsed<Call> = { readonly call: Call } | { readonly problem: Problem };

const scriptNames = ['script', 'command', 'cmd', 'code', 'input', 'query'] as const;
const deviceNames = ['device', 'devices'] as const;
const readNames = ['jobId', 'stream', 'offset', 'limit', 'tail', 'search'] as const;

export const readModelArguments = (context: NodeContext, itemIndex: number): unknown =>
	readFromAi(context, itemIndex, ['argv', ...scriptNames, ...deviceNames, ...readNames]);

type Arguments = Record<string, unknown>;

const isObject = (value: unknown): value is Arguments =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (details: string): { problem: Problem } => ({ problem: problemFor('JOB_INVALID', { details }) });

/** Forms and models send empty fields as '' or null, and lists as JSON text. */
export function normaliseCall(raw: unknown): unknown {
	if (typeof raw === 'string') return { script: raw };
	if (!isObject(raw)) return raw;
	const call = Object.fromEntries(
		Object.entries(raw).filter(([, value]) => value !== '' && value !== null && value !== undefined),
	);
	if (typeof call.argv === 'string') call.argv = parseList(call.argv) ?? call.argv;
	if (typeof call.devices === 'string') call.devices = parseList(call.devices) ?? call.devices;
	for (const name of ['offset', 'limit', 'tail'])
		if (typeof call[name] === 'string' && /^\d+$/.test(call[name])) call[name] = Number(call[name]);
	return call;
}

function parseList(text: string): unknown[] | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return Array.isArray(value) ? value : undefined;
	} catch {
		return undefined;
	}
}

function commandOf(call: Arguments): Command | string {
	const { argv } = call;
	const script = scriptNames.map((name) => call[name]).find((value) => value !== undefined);
	if (argv !== undefined && script !== undefined) return 'give "argv" or "script", not both';
	if (argv === undefined && script === undefined)
		return '"script" is missing; it must be a text with the command to run';
	if (argv === undefined)
		return typeof script === 'string'
			? { mode: 'script', script, shell: 'auto' }
			: '"script" must be a text with the command to run';
	const isList = Array.isArray(argv) && argv.length > 0 && argv.every((word) => typeof word === 'string');
	return isList
		? { mode: 'argv', argv: argv as string[] }
		: '"argv" must be a list of texts: the program and its arguments';
}

function devicesOf({ device, devices }: Arguments): readonly string[] | undefined | { fault: string } {
	const named = devices ?? device;
	if (named === undefined) return undefined;
	const list = Array.isArray(named) ? named : [named];
	if (list.length > 0 && list.every((name) => typeof name === 'string')) return [...new Set(list as string[])];
	return { fault: '"device" must be the name of a device' };
}

const isFault = (value: unknown): value is { fault: string } => isObject(value) && 'fault' in value;

/** Nobody checks the arguments before a node runs, so this does; unknown ones are ignored. */
export function parseRun(raw: unknown): Parsed<RunCall> {
	const call = normaliseCall(raw);
	if (!isObject(call)) return invalid('a call is a text with the command or an object with "script"');
	const command = commandOf(call);
	if (typeof command === 'string') return invalid(command);
	const devices = devicesOf(call);
	return isFault(devices) ? invalid(devices.fault) : { call: { command, devices } };
}

const wholeNumber = (value: unknown, fallback: number): number | undefined => {
	if (value === undefined) return fallback;
	return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
};

/** One page of what a model reads. */
const pageBytes = 16 * 1024;
const mostPageBytes = 64 * 1024;
const mostHits = 100;

function readOf(call: Arguments): ReadRequest | string {
	const stream = call.stream ?? 'stdout';
	if (stream !== 'stdout' && stream !== 'stderr') return '"stream" must be "stdout" or "stderr"';
	if (call.search !== undefined)
		return typeof call.search === 'string'
			? { stream, how: 'search', pattern: call.search, most: mostHits }
			: '"search" must be a text';
	if (call.tail !== undefined) {
		const lines = wholeNumber(call.tail, 0);
		return lines === undefined || lines === 0
			? '"tail" must be a number of lines'
			: { stream, how: 'tail', lines: Math.min(lines, 1000) };
	}
	const [offset, limit] = [wholeNumber(call.offset, 0), wholeNumber(call.limit, pageBytes)];
	if (offset === undefined || limit === undefined || limit === 0) return '"offset" and "limit" must be whole numbers';
	return { stream, how: 'page', offset, limit: Math.min(limit, mostPageBytes) };
}

/** For an earlier job: which one, where, and which part of its output. */
export function parseJob(raw: unknown): Parsed<JobCall> {
	const call = typeof raw === 'string' ? { jobId: raw } : normaliseCall(raw);
	if (!isObject(call)) return invalid('a call is an object with "jobId"');
	if (typeof call.jobId !== 'string') return invalid('"jobId" is missing; it is in the result of the command');
	const read = readOf(call);
	if (typeof read === 'string') return invalid(read);
	const devices = devicesOf(call);
	return isFault(devices) ? invalid(devices.fault) : { call: { jobId: call.jobId, devices, read } };
}
