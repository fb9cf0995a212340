/** Who sends a request to device_agent: a token, a signature, or a peer of a network that needs neither. Nobody else, and nobody learns why. */
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../../contract/principal.ts';
import { type DeviceAgentProof, deviceAgentTokenHeader, isDeviceAgentProof } from '../../wire/device-agent.ts';
import { isEd25519ReadProof, type ReadProof, readProofOf } from '../../wire/read-proof.ts';
import type { FaceParts, LiveKey } from '../face.ts';
import { networksOf } from '../peers.ts';
import { peerOf } from './peer.ts';

/** How old a signed request may be, and how far the clock of its sender may be ahead. */
export const deviceAgentAgeMs = 300_000;

const tokenPattern = /^[\x21-\x7e]{1,512}$/;

export class DeviceAgentAuth {
	readonly #keys: FaceParts['keys'];
	readonly #needsNothing: (address: string | undefined) => boolean;

	/** Throws CONFIG_INVALID for a network that is none. */
	constructor({ keys, config }: Pick<FaceParts, 'keys' | 'config'>) {
		this.#keys = keys;
		this.#needsNothing = networksOf(config.deviceAgent.unsignedFrom);
	}

	/** Of a request without a signature in its body. A proof that does not hold is not made good by the network it comes from. */
	plain(request: IncomingMessage): Principal | undefined {
		const { authorization } = request.headers;
		const token = tokenOf(request);
		if (token !== undefined) return this.#known(request, this.#keys.byToken('device', token), 'token');
		if (authorization === undefined) return this.#ofNetwork(request);
		const proof = readProofOf(authorization);
		return this.#known(request, proof && this.#keyOfProof(request, proof), 'proof');
	}

	/** Of a signed body, whatever the network and the headers. */
	signed(request: IncomingMessage, proof: DeviceAgentProof): Principal | undefined {
		const key = this.#ed25519(proof.keyId);
		const isGood = key !== undefined && isDeviceAgentProof(proof, key.material as KeyObject);
		return this.#known(request, isGood ? key : undefined, 'signature');
	}

	refused(request: IncomingMessage, reason: string): void {
		this.#keys.refused('device', reason, peerOf(request.socket));
	}

	#known(request: IncomingMessage, key: LiveKey | undefined, reason: string): Principal | undefined {
		if (!key) this.refused(request, reason);
		return key && { ...key.principal, peer: peerOf(request.socket) };
	}

	#ofNetwork(request: IncomingMessage): Principal | undefined {
		const { remoteAddress } = request.socket;
		const peer = peerOf(request.socket);
		if (this.#needsNothing(remoteAddress))
			return { name: `mesh:${peer}`, roles: ['executor'], capabilities: ['*'], keyId: null, peer };
		this.refused(request, 'no proof');
		return undefined;
	}

	#ed25519(keyId: string): LiveKey | undefined {
		return this.#keys.candidates('device', 'ed25519').find(({ id }) => id === keyId);
	}

	#keyOfProof({ method = '', url = '' }: IncomingMessage, proof: ReadProof): LiveKey | undefined {
		if (Math.abs(Date.now() - proof.at * 1000) > deviceAgentAgeMs) return undefined;
		const key = this.#ed25519(proof.id);
		const asked = { method, path: url.split('?')[0] ?? '' };
		return key && isEd25519ReadProof(proof, asked, key.material as KeyObject) ? key : undefined;
	}
}

/** Undefined where there is none; what is no token is one that nobody has. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
	const own = headers[deviceAgentTokenHeader];
	if (own !== undefined) return typeof own === 'string' && tokenPattern.test(own) ? own : '';
	const [, bearer] = /^Bearer +(.*)$/is.exec(headers.authorization ?? '') ?? [];
	if (bearer === undefined) return undefined;
	return tokenPattern.test(bearer) ? bearer : '';
}
