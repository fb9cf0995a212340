/** Requests as clients of each protocol would send them, and as nobody should: plain data, made for one running agent. */
import { createHmac } from 'node:crypto';
import type { FaceName } from '../../src/contract/device-job.ts';
import type { TestAgent } from './agent.ts';
import { HandKey, jobTyp } from './native-client.ts';

export interface PlainRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string;
}

const json = { 'content-type': 'application/json' };

function quickCmdJob(secret: string, jobId: string): string {
	const now = Math.floor(Date.now() / 1000);
	const payload = {
		...{ job_id: jobId, prompt: '', command: 'true', candidate_metadata: null, plugin_metadata: null },
		...{ required_scopes: null, snapshot_metadata: '', ttl: now + 300, timestamp: now, controller_id: 'controller-1' },
	};
	const signature = createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex');
	return JSON.stringify({ payload, signature: { signature, algorithm: 'HMAC-SHA256' } });
}

function nativeJob(key: string, id: string): string {
	const now = Math.floor(Date.now() / 1000);
	const job = { capability: 'shell.run', command: { mode: 'argv', argv: ['true'] } };
	return HandKey.read(key).jws(jobTyp, { aud: 'box', iat: now, exp: now + 60, jti: id, job });
}

let count = 0;
const nextId = (): string => `id-${process.pid}-${count++}`;

/** A job that runs "true". @param name of the device: "box" */
export function jobRequest({ faces }: TestAgent, face: FaceName): PlainRequest {
	const id = nextId();
	const post = (path: string, body: object | string, headers: object = {}): PlainRequest => ({
		method: 'POST',
		path,
		headers: { ...json, ...headers },
		body: typeof body === 'string' ? body : JSON.stringify(body),
	});
	const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
	switch (face) {
		case 'agent3':
			return post('/', { op: 'shell', args: { cmd: 'true' } }, { 'x-auth-token': faces.agent3.token });
		case 'ogent':
			return post('/api/execute', { command: 'true' }, bearer(faces.ogent.token));
		case 'quickcmd':
			return post('/api/v1/jobs', quickCmdJob(faces.quickcmd.secret, id));
		case 'device':
			return post(
				'/capability',
				{ request_id: id, capability: 'shell.exec', args: ['true'] },
				bearer(faces.device.token),
			);
		case 'native':
			return post('/v2/jobs', nativeJob(faces.native.key, id), { 'content-type': 'application/jose' });
	}
}

/** The same, and whatever it asks for, without what proves who sends it. */
export function forged(request: PlainRequest): PlainRequest {
	const { authorization: _a, 'x-auth-token': _t, ...headers } = request.headers;
	const body = request.body?.replace(/[0-9a-f]{64}(?="\s*,"algorithm)/, 'f'.repeat(64)).replace(/\.[\w-]+$/, '.AAAA');
	return { ...request, headers, ...(body !== undefined && { body }) };
}

export const healthPath: Readonly<Record<FaceName, string>> = {
	agent3: '/health',
	ogent: '/health',
	quickcmd: '/health',
	device: '/health',
	native: '/v2/health',
};
