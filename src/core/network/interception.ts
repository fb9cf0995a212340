/** What a job needs for secrets that only its gateway holds: placeholders, an authority of its own, and whom we trust. */
import tls from 'node:tls';
import { KnownError } from '../../contract/error.ts';
import type { Mask } from '../secrets/redact.ts';
import type { Interception } from './gateway.ts';
import { hostFault } from './rules.ts';
import { Substitution } from './substitution.ts';

/** Of one job: the secrets it gets, and where some of them may go. */
export interface BoundSecrets {
	readonly names: readonly string[];
	readonly values: Readonly<Record<string, string>>;
	readonly hosts: Readonly<Record<string, readonly string[]>>;
	readonly mask: Mask;
}

const refuse = (details: string) => new KnownError('CONFIG_INVALID', { details });

/** A value that cannot be masked would come back in the first answer that repeats it. */
function requireUsable(name: string, hosts: readonly string[], { mask }: BoundSecrets): void {
	const fault = hostFault(hosts, { ranges: false });
	if (fault !== undefined) throw refuse(`the allowed hosts of the secret ${name}: ${fault}`);
	if (mask.refused.includes(name))
		throw refuse(
			`the secret ${name} has allowed hosts, but its value is too short or too common to be masked in answers`,
		);
}

/** Node.js's own list, with what the operator added to it; before 22.15 it does not tell the latter. */
const ownCertificates = (): readonly string[] =>
	typeof tls.getCACertificates === 'function' ? tls.getCACertificates('default') : tls.rootCertificates;

/** @returns the substitution of a job, or undefined when none of its secrets is bound to hosts */
export function bindSecrets(secrets: BoundSecrets): Substitution | undefined {
	const bound = secrets.names.flatMap((name) => {
		const hosts = Object.hasOwn(secrets.hosts, name) ? secrets.hosts[name] : undefined;
		return hosts === undefined ? [] : [[name, hosts] as const];
	});
	for (const [name, hosts] of bound) requireUsable(name, hosts, secrets);
	return bound.length === 0 ? undefined : new Substitution(secrets.values, Object.fromEntries(bound));
}

/** @param certificates the list of this host, as PEM; empty when it has none */
export async function intercept(substitution: Substitution, mask: Mask, certificates: string): Promise<Interception> {
	// Only jobs that need certificates load what makes them.
	const { Authority } = await import('./authority.ts');
	const trusted = tls.createSecureContext({ ca: [...ownCertificates(), certificates] });
	return { substitution, authority: new Authority(), trusted, mask };
}
