/** Makes the client of a device from what a credential says; one per device and process, so that its connections are kept. */
import { KnownError } from '../../contract/error.ts';
import { readSigningKey } from '../wire/native-sign.ts';
import { Agent3Client } from './adapters/agent3.ts';
import { DeviceAgentClient } from './adapters/device-agent.ts';
import { NativeClient } from './adapters/native.ts';
import { OgentClient } from './adapters/ogent.ts';
import { QuickCmdClient } from './adapters/quickcmd.ts';
import type { DeviceAccess, DeviceClient } from './client.ts';
import { DeviceHttp } from './http.ts';
import { tokenOfLogin } from './ogent-login.ts';

function invalid(details: string): KnownError {
	return new KnownError('CONFIG_INVALID', { details });
}

/** @param device the author's name for it; throws CONFIG_INVALID for what cannot be a credential */
export function createClient(device: string, access: DeviceAccess): DeviceClient {
	const http = new DeviceHttp(access);
	if (access.protocol === 'agent3') return new Agent3Client(device, http, access.token);
	if (access.protocol === 'native') return new NativeClient(device, http, nativeProof(access));
	if (access.protocol === 'ogent') return new OgentClient(device, http, ogentToken(access), access);
	if (access.protocol === 'quickcmd') return new QuickCmdClient(device, http, access);
	return new DeviceAgentClient(device, http, access);
}

function nativeProof({ key, token }: Extract<DeviceAccess, { protocol: 'native' }>) {
	if (key) return { key: readSigningKey(key) };
	if (token) return { token };
	throw invalid('a device of the native protocol needs a key or a token');
}

function ogentToken({ token, login, ca, fingerprint }: Extract<DeviceAccess, { protocol: 'ogent' }>) {
	if (token) return async () => token;
	if (login) return tokenOfLogin(login, { ca, fingerprint });
	throw invalid('an Ogent service needs a token or a login');
}
