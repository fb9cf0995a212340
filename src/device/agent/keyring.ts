/** The keys that are good now: who holds which, compared in constant time, changed while the agent runs. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { KeyEntry } from '../../contract/agent-config.ts';
import type { FaceName } from '../../contract/device-job.ts';
import type { Keyring, LiveKey } from './face.ts';
import type { Material, ReadKey } from './key-files.ts';

interface Held {
	readonly entry: KeyEntry;
	readonly key: LiveKey;
}

export interface KeyringParts {
	now(): number;
	/** Hears each failed proof. */
	refused(face: FaceName, reason: string, peer: string | null): void;
}

const liveKey = (entry: KeyEntry, material: Material): LiveKey => ({
	id: entry.id,
	kind: entry.kind,
	material,
	principal: {
		name: entry.principal,
		roles: entry.roles,
		capabilities: entry.capabilities ?? ['*'],
		keyId: entry.id,
	},
});

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

export class FileKeyring implements Keyring {
	readonly #parts: KeyringParts;
	#held: readonly Held[] = [];

	constructor(parts: KeyringParts) {
		this.#parts = parts;
	}

	/** From here on these are all keys there are. */
	replace(keys: readonly Pick<ReadKey, 'entry' | 'material'>[]): void {
		this.#held = keys.map(({ entry, material }) => ({ entry, key: liveKey(entry, material) }));
	}

	get ids(): string[] {
		return this.#held.map(({ entry }) => entry.id);
	}

	byToken(face: FaceName, token: string): LiveKey | undefined {
		const digest = digestOf(token);
		// Every token of the face is compared, so that the time taken tells nothing about which one came close.
		const fitting = this.candidates(face, 'token').filter(({ material }) =>
			timingSafeEqual(material as Buffer, digest),
		);
		return fitting[0];
	}

	candidates(face: FaceName, kind: KeyEntry['kind']): readonly LiveKey[] {
		return this.#held
			.filter(({ entry }) => entry.face === face && entry.kind === kind && this.#isGood(entry))
			.map(({ key }) => key);
	}

	refused(face: FaceName, reason: string, peer: string | null): void {
		this.#parts.refused(face, reason, peer);
	}

	#isGood({ isRevoked, notAfter }: KeyEntry): boolean {
		return !isRevoked && (notAfter === undefined || this.#parts.now() < notAfter);
	}
}
