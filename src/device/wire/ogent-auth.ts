/** Who a caller of Ogent is: claims of a token, the answer of the authentication service, and the login that gives a token. Pure. */
import { z } from 'zod';
import { readJson } from './json.ts';

export interface OgentUser {
	readonly id: string;
	readonly roles: readonly string[];
	readonly permissions: readonly string[];
}

const idSchema = z.union([z.string().min(1).max(128), z.int()]).transform(String);
const namesSchema = z.array(z.string().max(200)).max(500).default([]);

const claimsSchema = z.object({ sub: idSchema, roles: namesSchema, permissions: namesSchema });

/** The payload of a token whose signature and times were checked. */
export function ogentUserOfClaims(payload: unknown): OgentUser | undefined {
	const { data } = claimsSchema.safeParse(payload);
	return data && { id: data.sub, roles: data.roles, permissions: data.permissions };
}

const named = z.object({ name: z.string().max(200) });
const userSchema = z.object({
	user: z.object({
		id: idSchema,
		roles: z
			.array(named.extend({ permissions: z.array(named).max(500).default([]) }))
			.max(100)
			.default([]),
	}),
});

/** The answer to `GET {authUrl}/user`, of which nothing but the status 200 is a yes. */
export function decodeOgentUser(body: Uint8Array): OgentUser | undefined {
	const json = readJson(body);
	const { data } = userSchema.safeParse(json.ok ? json.value : undefined);
	if (!data) return undefined;
	const { id, roles } = data.user;
	const permissions = roles.flatMap((role) => role.permissions.map(({ name }) => name));
	return { id, roles: roles.map(({ name }) => name), permissions: [...new Set(permissions)] };
}

/** @returns the body of `POST /login` */
export const encodeOgentLogin = (login: { user: string; password: string }): string =>
	JSON.stringify({ [login.user.includes('@') ? 'email' : 'username']: login.user, password: login.password });

export interface OgentToken {
	readonly token: string;
	/** Seconds that it is good for; null when the service does not say. */
	readonly expiresInSeconds: number | null;
}

/** @returns undefined when the answer brings no token */
export function decodeOgentLogin(body: Uint8Array): OgentToken | undefined {
	const json = readJson(body);
	const schema = z.object({ token: z.string().min(1), expires_in: z.number().nullish() });
	const { data } = schema.safeParse(json.ok ? json.value : undefined);
	return data && { token: data.token, expiresInSeconds: data.expires_in ?? null };
}
