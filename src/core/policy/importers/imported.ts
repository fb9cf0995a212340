/** What the importers share: a policy in the making, on the ground of a shipped one, and notes on what became narrower. Pure. */
import { stringify } from 'yaml';
import { isExecCapableName } from '../programs/exec-capable.ts';
import { shippedPrograms } from '../programs/shipped/sets.ts';
import { readYaml } from '../read-yaml.ts';

export interface Imported {
	/** The policy, as YAML. */
	readonly text: string;
	/** For the operator: what was left out, and what is stricter than it was. */
	readonly notes: readonly string[];
}

type Fields = Record<string, unknown>;

/** Takes everything but the capabilities from the text of another policy: its programs and rules go on to count. */
export class Draft {
	readonly notes: string[] = [];
	readonly #base: Fields;
	readonly #programs = new Map<string, Fields>();
	readonly #capabilities: Record<string, Fields> = {};
	readonly #deny: Fields[] = [];
	#imported = 0;

	constructor(base: string, name: string) {
		const { capabilities: _capabilities, programs, deny, ...rest } = readYaml(base) as Fields;
		this.#base = { ...rest, name };
		for (const program of listOf(programs)) this.#programs.set(String(program.name), program);
		this.#deny.push(...listOf(deny));
	}

	/** Name of the first profile: the one that shipped policies have. */
	get profile(): string {
		return Object.keys(this.#base.profiles as Fields)[0] ?? '';
	}

	/** The first profile that has containers; the first of all where there is none. */
	get containerProfile(): string {
		const profiles = Object.entries(this.#base.profiles as Record<string, Fields>);
		const found = profiles.find(([, { backend }]) => backend === 'docker' || backend === 'podman');
		return found?.[0] ?? this.profile;
	}

	changeProfile(change: Fields): void {
		const profiles = this.#base.profiles as Record<string, Fields>;
		profiles[this.profile] = { ...profiles[this.profile], ...change };
	}

	set(field: string, value: unknown): void {
		this.#base[field] = value;
	}

	get paths(): { read: string[]; write: string[]; hide: string[] } {
		return this.#base.paths as never;
	}

	addCapability(name: string, fields: Fields): void {
		this.#capabilities[name] = { profile: this.profile, ...fields };
	}

	/** A pattern over the whole text, as denylists have them. */
	deny(pattern: string, why: string, fields: Fields = {}): void {
		this.#deny.push({ name: `imported-${++this.#imported}`, why, pattern, in: 'text', ...fields });
	}

	/**
	 * Allows programs that somebody listed by name, or by their whole path. One that comes with the agent keeps its flags; one
	 * that can start others is asked about; any other may have any arguments within the paths.
	 * @returns their names
	 */
	allow(listed: readonly string[]): string[] {
		return [...new Set(listed)].map((written) => {
			const name = written.slice(written.lastIndexOf('/') + 1);
			const path = written.startsWith('/') ? { path: written } : {};
			if (isShipped(name) && !written.includes('/'))
				return this.#note(name, 'flags that do more than look need approval');
			if (this.#programs.has(name)) return name;
			const isExecCapable = isExecCapableName(name);
			this.#programs.set(name, { name, ...path, anyArguments: true, ...(isExecCapable && { isExecCapable }) });
			if (isExecCapable) return this.#note(name, 'it can start other programs, so every use needs approval');
			return name;
		});
	}

	#note(name: string, what: string): string {
		if (!this.notes.includes(`${name}: ${what}`)) this.notes.push(`${name}: ${what}`);
		return name;
	}

	finish(): Imported {
		const policy = {
			...this.#base,
			programs: [...this.#programs.values()],
			deny: this.#deny,
			capabilities: this.#capabilities,
		};
		const head = [
			'Imported. What became narrower than it was:',
			...this.notes,
			...(this.notes.length === 0 ? ['nothing'] : []),
		];
		const comment = head.map((line) => `# ${line.replaceAll('\n', ' ')}`).join('\n');
		return { text: `${comment}\n${stringify(policy, { lineWidth: 120 })}`, notes: this.notes };
	}
}

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);

const shippedNames = new Set(Object.values(shippedPrograms).flatMap((set) => set.map(({ name }) => name)));
const isShipped = (name: string): boolean => shippedNames.has(name);

/** "^git\s" approves every command that begins so: it is held against a whole simple command, never against a script. */
export const approving = (pattern: string): string => `(?s)(?:${pattern}).*`;
