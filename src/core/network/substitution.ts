/** Secrets that a program never holds: it gets placeholders, and the values replace them on the way to their hosts. Pure. */
import { randomBytes } from 'node:crypto';
import { hostMatcher } from './rules.ts';

interface Bound {
	readonly placeholder: string;
	readonly value: string;
	readonly reaches: (name: string, port: number) => boolean;
}

const newPlaceholder = (): string => `scp_${randomBytes(24).toString('base64url')}`;

const basic = /^(Basic +)([A-Za-z0-9+/_-]+={0,2}) *$/i;

export class Substitution {
	readonly #bound: ReadonlyMap<string, Bound>;

	/** @param hosts where each secret may go, by its name, in the words of a network list */
	constructor(
		values: Readonly<Record<string, string>>,
		hosts: Readonly<Record<string, readonly string[]>>,
		makePlaceholder = newPlaceholder,
	) {
		const entries = Object.entries(hosts).map(([name, list]): [string, Bound] => [
			name,
			{ placeholder: makePlaceholder(), value: values[name] ?? '', reaches: hostMatcher(list) },
		]);
		this.#bound = new Map(entries);
	}

	/** What a program gets instead of the values, by the name of the secret. */
	get placeholders(): Readonly<Record<string, string>> {
		return Object.fromEntries([...this.#bound].map(([name, { placeholder }]) => [name, placeholder]));
	}

	appliesTo(name: string, port: number): boolean {
		return [...this.#bound.values()].some(({ reaches }) => reaches(name, port));
	}

	/** The text of one header of a request to the host; a name and password in Base64 are looked into. */
	fill(name: string, port: number, text: string): string {
		const usable = [...this.#bound.values()].filter(({ reaches }) => reaches(name, port));
		const replace = (plain: string) =>
			usable.reduce((sum, { placeholder, value }) => sum.replaceAll(placeholder, () => value), plain);
		const [, scheme, encoded] = basic.exec(text) ?? [];
		if (scheme === undefined || encoded === undefined) return replace(text);
		const plain = Buffer.from(encoded, 'base64').toString('latin1');
		const filled = replace(plain);
		return filled === plain ? text : scheme + Buffer.from(filled, 'latin1').toString('base64');
	}
}
