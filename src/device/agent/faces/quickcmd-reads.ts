/** Who may read a job of QuickCMD, whose own client shows no proof: its peer, or whoever brings one. */
import type { IncomingMessage } from 'node:http';
import type { JobView } from '../../../contract/device-job.ts';
import type { Principal } from '../../../contract/principal.ts';
import { isHmacReadProof, type ReadProof, readProofOf } from '../../wire/read-proof.ts';
import type { FaceParts, LiveKey } from '../face.ts';
import { isSamePeer, peerOf } from './peer.ts';
import { isGoodSecret, quickCmdSkewSeconds } from './quickcmd-check.ts';

/** How long a peer may read what it handed in. */
const peerMs = 24 * 3_600_000;

/** nobody: there is no proof where one is needed, or one that does not hold. peer: what came from there. */
export type Reader = 'nobody' | 'peer' | Principal;

export class QuickCmdReads {
	readonly #parts: Pick<FaceParts, 'config' | 'jobs' | 'keys'>;

	constructor(parts: Pick<FaceParts, 'config' | 'jobs' | 'keys'>) {
		this.#parts = parts;
	}

	readerOf(request: IncomingMessage): Reader {
		const header = request.headers.authorization;
		if (header === undefined) return this.#parts.config.quickcmd.reads === 'same-peer' ? 'peer' : 'nobody';
		const key = this.#keyOf(request, header);
		if (!key) this.#parts.keys.refused('quickcmd', 'read', peerOf(request.socket));
		return key ? { ...key.principal, peer: peerOf(request.socket) } : 'nobody';
	}

	/** False once the key of a reader was taken back; asked now and then of those who read for long. */
	isStillKnown(reader: Exclude<Reader, 'nobody'>): boolean {
		if (reader === 'peer') return true;
		const { keys } = this.#parts;
		const live = [...keys.candidates('quickcmd', 'hmac'), ...keys.candidates('quickcmd', 'token')];
		return live.some(({ id }) => id === reader.keyId);
	}

	/** The job with this id that the reader may see, the latest where several controllers used the id. */
	find(request: IncomingMessage, reader: Exclude<Reader, 'nobody'>, id: string): JobView | undefined {
		const { jobs } = this.#parts;
		const named = this.#controllers().flatMap((name) => {
			const principal: Principal = { name, roles: [], capabilities: [], keyId: null, peer: null };
			return jobs.findByClientId(principal, 'quickcmd', id) ?? [];
		});
		const mayRead = (job: JobView): boolean =>
			reader === 'peer' ? this.#isOfPeer(job, request) : jobs.get(reader, job.jobId) !== undefined;
		return named.filter(mayRead).sort((a, b) => b.acceptedAt - a.acceptedAt)[0];
	}

	#isOfPeer({ jobId, acceptedAt }: JobView, { socket }: IncomingMessage): boolean {
		return Date.now() - acceptedAt <= peerMs && isSamePeer(this.#parts.jobs.peerOf(jobId), peerOf(socket));
	}

	#controllers(): string[] {
		return [...new Set(this.#parts.keys.candidates('quickcmd', 'hmac').map(({ principal }) => principal.name))];
	}

	/** A token, or a proof with the secret that signs jobs. */
	#keyOf(request: IncomingMessage, header: string): LiveKey | undefined {
		const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header) ?? [];
		if (token !== undefined) return this.#parts.keys.byToken('quickcmd', token);
		const proof = readProofOf(header);
		return proof && this.#keyOfProof(request, proof);
	}

	#keyOfProof({ method = '', url = '' }: IncomingMessage, proof: ReadProof): LiveKey | undefined {
		const { keys, config } = this.#parts;
		const asked = { method, path: url.split('?')[0] ?? '' };
		const age = Date.now() / 1000 - proof.at;
		const fitting = keys
			.candidates('quickcmd', 'hmac')
			.filter(({ material }) => isGoodSecret(material) && isHmacReadProof(proof, asked, material));
		if (age > config.quickcmd.maxAgeSeconds || age < -quickCmdSkewSeconds) return undefined;
		return fitting.find(({ principal }) => principal.name === proof.id);
	}
}
