/** Tokens of Ogent: one that was given, or those of a login, asked for anew a minute before they end. */
import { z } from 'zod';
import { KnownError } from '../../contract/error.ts';
import { readJson } from '../wire/json.ts';
import type { OgentToken } from './adapters/ogent.ts';
import { DeviceHttp, type Endpoint } from './http.ts';

const answerSchema = z.object({ token: z.string().min(1), expires_in: z.number().positive().default(3600) });
const marginMs = 60_000;
const askMs = 15_000;

export interface OgentLogin {
	/** Of the authentication service; "/login" is asked below it. */
	readonly url: string;
	readonly user: string;
	readonly password: string;
}

async function logIn(http: DeviceHttp, { user, password }: OgentLogin): Promise<z.infer<typeof answerSchema>> {
	const name = user.includes('@') ? { email: user } : { username: user };
	const { status, body } = await http.send({
		method: 'POST',
		path: '/login',
		headers: { 'content-type': 'application/json', accept: 'application/json' },
		body: JSON.stringify({ ...name, password }),
		timeoutMs: askMs,
	});
	if (status === 401 || status === 403 || status === 422) throw new KnownError('AUTH_REQUIRED');
	const read = readJson(body);
	const answer = status < 300 && read.ok ? answerSchema.safeParse(read.value) : undefined;
	if (!answer?.success)
		throw new KnownError('AGENT_UNREACHABLE', { details: `the login service answered with ${status}` });
	return answer.data;
}

/** One login serves all calls until its token ends; a login that failed is tried again by the next call. */
export function tokenOfLogin(login: OgentLogin, trust: Omit<Endpoint, 'url'>): OgentToken {
	// The certificate is the device's; a login service without one is the author's word.
	const http = new DeviceHttp({ ...(login.url.startsWith('https:') && trust), url: login.url });
	let current: { readonly token: Promise<string>; endsAt: number } | undefined;
	return () => {
		if (current && performance.now() < current.endsAt) return current.token;
		const asked = logIn(http, login);
		const fresh = { token: asked.then(({ token }) => token), endsAt: Number.POSITIVE_INFINITY };
		current = fresh;
		asked.then(
			({ expires_in }) => {
				fresh.endsAt = performance.now() + expires_in * 1000 - marginMs;
			},
			() => {
				fresh.endsAt = 0;
			},
		);
		return fresh.token;
	};
}
