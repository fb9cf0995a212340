/** The wire of QuickCMD's Remote Agent, requests: signed jobs and signed cancels, both sides. Names and bytes are the original's. Pure. */
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import {
	type GoSpelling,
	type GoValue,
	goJson,
	goSpellings,
	goStruct,
	goText,
	goValue,
	type NumberSource,
	parseWithNumbers,
} from './go-json.ts';
import { readJson } from './json.ts';
import { isSameText } from './same-text.ts';

export const quickCmdPaths = {
	jobs: '/api/v1/jobs',
	job: '/api/v1/jobs/:id',
	cancel: '/api/v1/jobs/:id/cancel',
	stream: '/api/v1/stream/:id',
} as const;

export const quickCmdAlgorithm = 'HMAC-SHA256';

/** Ids that fit into a path and into a log; the original takes anything. */
const jobIdPattern = /^[A-Za-z0-9._:-]{1,128}$/;
export const isQuickCmdJobId = (id: string): boolean => jobIdPattern.test(id);

export type GoMap = { readonly [key: string]: GoValue };

/** What the signature covers. Null is not the same as empty: it is signed as `null`. */
export interface QuickCmdPayload {
	readonly jobId: string;
	readonly prompt: string;
	readonly command: string;
	readonly candidateMetadata: GoMap | null;
	readonly pluginMetadata: GoMap | null;
	readonly requiredScopes: readonly string[] | null;
	readonly snapshotMetadata: string;
	/** Unix seconds after which nobody may run it. */
	readonly ttl: number;
	/** Unix seconds at which it was signed. */
	readonly timestamp: number;
	readonly controllerId: string;
}

export interface QuickCmdSigned {
	readonly payload: QuickCmdPayload;
	/** Hex, as it came. */
	readonly signature: string;
}

export type QuickCmdReading = { readonly signed: QuickCmdSigned } | { readonly details: string };

/** To Go, null and what is absent are the empty value. */
const text = z
	.string()
	.nullish()
	.transform((value) => goText(value ?? ''));
const integer = z
	.int()
	.nullish()
	.transform((value) => value ?? 0);

const metadata = z
	.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'is no object')
	.transform((value, context) => {
		const map = goValue(value);
		if (map !== undefined) return map as GoMap;
		context.addIssue('holds a number that is too large, or a key twice');
		return z.NEVER;
	})
	.nullish()
	.transform((value) => value ?? null);

const payloadSchema = z.strictObject({
	job_id: text,
	prompt: text,
	command: text,
	candidate_metadata: metadata,
	plugin_metadata: metadata,
	required_scopes: z
		.array(text)
		.nullish()
		.transform((value) => value ?? null),
	snapshot_metadata: text,
	ttl: integer,
	timestamp: integer,
	controller_id: text,
});

const signedSchema = z.strictObject({
	payload: payloadSchema.nullish().transform((value) => value ?? payloadSchema.parse({})),
	/** The algorithm is neither signed nor asked for. */
	signature: z.strictObject({ signature: text, algorithm: text }).nullish(),
});

/** Reads the body of a submit or a cancel; `details` says why it is none. */
export function decodeQuickCmdRequest(body: Uint8Array): QuickCmdReading {
	const json = readJson(body);
	if (!json.ok) return { details: `the body ${json.why}` };
	const { value, sourceOf } = parseWithNumbers(new TextDecoder().decode(body));
	const { data, error } = signedSchema.safeParse(value);
	if (error) return { details: z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ') };
	const odd = oddInteger(value, sourceOf);
	if (odd) return { details: `payload.${odd} is no plain integer` };
	return { signed: { payload: payloadOf(data.payload), signature: data.signature?.signature ?? '' } };
}

/** Go takes no `1.0` and no `1e9` for an integer. */
function oddInteger(value: unknown, sourceOf: NumberSource): string | undefined {
	const payload = (value as { payload?: object | null }).payload ?? {};
	return ['ttl', 'timestamp'].find((key) => !/^-?\d+$/.test(sourceOf(payload, key) ?? '0'));
}

const payloadOf = (read: z.infer<typeof payloadSchema>): QuickCmdPayload => ({
	jobId: read.job_id,
	prompt: read.prompt,
	command: read.command,
	candidateMetadata: read.candidate_metadata,
	pluginMetadata: read.plugin_metadata,
	requiredScopes: read.required_scopes,
	snapshotMetadata: read.snapshot_metadata,
	ttl: read.ttl,
	timestamp: read.timestamp,
	controllerId: read.controller_id,
});

/** The bytes that are signed: the payload as Go's struct, every field present, in this order. */
export function quickCmdSignedText(payload: QuickCmdPayload, spelling: GoSpelling = 'short'): string {
	const fields = {
		job_id: payload.jobId,
		prompt: payload.prompt,
		command: payload.command,
		candidate_metadata: payload.candidateMetadata,
		plugin_metadata: payload.pluginMetadata,
		required_scopes: payload.requiredScopes,
		snapshot_metadata: payload.snapshotMetadata,
		ttl: payload.ttl,
		timestamp: payload.timestamp,
		controller_id: payload.controllerId,
	};
	return goJson(goStruct(fields), spelling);
}

export type HmacSecret = string | Uint8Array;

const hmac = (secret: HmacSecret, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

/** Hex. */
export function signQuickCmd(payload: QuickCmdPayload, secret: HmacSecret, spelling: GoSpelling = 'short'): string {
	return hmac(secret, quickCmdSignedText(payload, spelling));
}

/** Whether a secret made the signature, in the spelling of any Go. Both are always tried, so the time taken says nothing. */
export function isQuickCmdSignedBy({ payload, signature }: QuickCmdSigned, secret: HmacSecret): boolean {
	return goSpellings
		.map((spelling) => isSameText(signature, signQuickCmd(payload, secret, spelling)))
		.some((isSame) => isSame);
}

/** @returns the body of a submit or a cancel */
export function encodeQuickCmdRequest(payload: QuickCmdPayload, secret: HmacSecret): string {
	const signature = signQuickCmd(payload, secret);
	return `{"payload":${quickCmdSignedText(payload)},"signature":{"signature":"${signature}","algorithm":"${quickCmdAlgorithm}"}}`;
}

/** What ties a job to one device and to one use: lies in the plugin metadata under `rs`, where originals do not look. */
export interface QuickCmdBinding {
	readonly deviceId: string;
	readonly nonce: string;
}

const bindingSchema = z.strictObject({ device_id: z.string().min(1).max(64), nonce: z.string().min(16).max(128) });

/** Undefined: there is none. Null: there is something that is none. */
export function quickCmdBindingOf({ pluginMetadata }: QuickCmdPayload): QuickCmdBinding | null | undefined {
	if (pluginMetadata === null || !Object.hasOwn(pluginMetadata, 'rs')) return undefined;
	const { data } = bindingSchema.safeParse(pluginMetadata.rs);
	return data ? { deviceId: data.device_id, nonce: data.nonce } : null;
}

export const quickCmdBindingMetadata = ({ deviceId, nonce }: QuickCmdBinding): GoMap => ({
	rs: { device_id: deviceId, nonce },
});

/** A cancel is a payload without a command, so that no submit that somebody kept can be sent as one, nor the other way round. */
export const quickCmdCancel = (
	about: Pick<QuickCmdPayload, 'jobId' | 'ttl' | 'timestamp' | 'controllerId'>,
	binding?: QuickCmdBinding,
): QuickCmdPayload => ({
	...about,
	prompt: 'cancel',
	command: '',
	candidateMetadata: null,
	pluginMetadata: binding ? quickCmdBindingMetadata(binding) : null,
	requiredScopes: null,
	snapshotMetadata: '',
});

export const isQuickCmdCancel = ({ command }: QuickCmdPayload): boolean => command === '';
