/** Which proxy leads to a host, by the settings that pip and npm follow: environment variables, or their own configuration. Pure. */
import { KnownError } from '../../contract/error.ts';
import type { ProxyFor } from '../network/outside.ts';
import type { HttpProxy } from '../network/proxy.ts';

/** Addresses of proxies, and where none is asked; absent: none. */
export interface ProxySettings {
	readonly http?: string | undefined;
	readonly https?: string | undefined;
	/** Names, ".suffixes", "host:port" and "*", with commas. */
	readonly except?: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

const either = (env: Env, name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;

/** @param own what the client's configuration says; it counts for more */
export function proxySettings(env: Env, own: ProxySettings = {}): ProxySettings {
	const all = either(env, 'ALL_PROXY');
	return {
		http: own.http ?? either(env, 'HTTP_PROXY') ?? all,
		https: own.https ?? either(env, 'HTTPS_PROXY') ?? all,
		except: own.except ?? either(env, 'NO_PROXY'),
	};
}

const refuse = (details: string): KnownError => new KnownError('CONFIG_INVALID', { details });

/** The address is never repeated: it may hold a password. */
function parseProxy(text: string): HttpProxy {
	const url = URL.parse(text.includes('://') ? text : `http://${text}`);
	if (!url || url.hostname === '') throw refuse('the address of the proxy for packages is no URL');
	if (url.protocol !== 'http:' && url.protocol !== 'https:')
		throw refuse(`packages can be fetched through proxies of HTTP and HTTPS, not of ${url.protocol.replace(':', '')}`);
	const isSecure = url.protocol === 'https:';
	const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
	return {
		host: url.hostname.replace(/^\[|\]$/g, ''),
		port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
		isSecure,
		authorization: user === ':' ? null : `Basic ${Buffer.from(user).toString('base64')}`,
	};
}

function isExcepted(except: string, name: string, port: number): boolean {
	return except.split(/[\s,]+/).some((entry) => {
		const [, host = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
		if (only !== undefined && Number(only) !== port) return false;
		return entry === '*' || (host !== '' && (name === host || name.endsWith(`.${host}`)));
	});
}

/** Throws CONFIG_INVALID at once for what cannot be used; a proxy that is asked for is never left out. */
export function proxyFinder({ http, https, except = '' }: ProxySettings): ProxyFor | undefined {
	if (http === undefined && https === undefined) return undefined;
	const [plain, secure] = [http, https].map((text) => (text === undefined ? undefined : parseProxy(text)));
	return (name, port) => (isExcepted(except, name, port) ? undefined : port === 80 ? plain : secure);
}
