/** A plain client of QuickCMD's Remote Agent that shares no code with the agent: signs as its document says, asks over node:http. */
import { createHmac } from 'node:crypto';
import { WebSocket } from 'ws';
import { type Answer, type Ask, ask } from './plain-client.ts';

export const quickCmdSecret = 'a-secret-of-controller-1-0123456';

const nowSeconds = () => Math.floor(Date.now() / 1000);

export interface SignedParts {
	readonly [member: string]: unknown;
}

/** Members in the order of the struct. */
export function quickCmdPayload(parts: SignedParts = {}): Record<string, unknown> {
	return {
		...{ job_id: `job-${Math.random().toString(36).slice(2)}`, prompt: 'p', command: 'true' },
		...{ candidate_metadata: {}, plugin_metadata: {}, required_scopes: [], snapshot_metadata: '' },
		...{ ttl: nowSeconds() + 300, timestamp: nowSeconds(), controller_id: 'controller-1' },
		...parts,
	};
}

/** Go writes these in its own way. */
const asGo = (text: string): string =>
	text.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');

export function quickCmdBody(payload: object, secret = quickCmdSecret): string {
	const signature = createHmac('sha256', secret)
		.update(asGo(JSON.stringify(payload)))
		.digest('hex');
	return JSON.stringify({ payload, signature: { signature, algorithm: 'HMAC-SHA256' } });
}

export const postTo = (url: string, path: string, body: string, more: Ask = {}): Promise<Answer> =>
	ask(`${url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, ...more });

export const submitTo = (url: string, payload: object, secret?: string, more?: Ask): Promise<Answer> =>
	postTo(url, '/api/v1/jobs', quickCmdBody(payload, secret), more);

export interface Heard {
	readonly frames: readonly Record<string, unknown>[];
	/** Each as it came. */
	readonly texts: readonly string[];
	readonly code: number;
	/** Of a handshake that was refused. */
	readonly refused: { readonly status: number; readonly text: string } | null;
}

/** Everything that a subscriber hears until the connection ends. @param onFirst hears of the first frame when it comes */
export async function listenTo(
	url: string,
	headers: Record<string, string> = {},
	ca?: string,
	onFirst: () => void = () => {},
): Promise<Heard> {
	const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers, ...(ca !== undefined && { ca }) });
	const texts: string[] = [];
	socket.on('message', (data) => texts.push(String(data)));
	socket.once('message', onFirst);
	socket.on('error', () => {});
	let refused: Heard['refused'] = null;
	socket.on('unexpected-response', async (_request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of response) chunks.push(chunk);
		refused = { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
		socket.terminate();
	});
	const code = await new Promise<number>((resolve) => socket.on('close', resolve));
	return { frames: texts.map((text) => JSON.parse(text)), texts, code, refused };
}
