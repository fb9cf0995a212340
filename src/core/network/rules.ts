/** Which hosts a job may reach: reads the list an author wrote, and decides about one name, port or address. */
import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { KnownError } from '../../contract/error.ts';
import type { Network } from '../../contract/job.ts';

interface HostRule {
	/** "example.com", or ".example.com" for every name below it. */
	readonly name: string;
	readonly port: number | undefined;
}

/** Without a port a host is reached where web servers are. */
const webPorts = [80, 443];

/** With "full" network: the services that programs ordinarily talk to. */
const commonPorts = [
	...[21, 22, 25, 80, 110, 143, 443, 465, 587, 636, 853, 989, 990, 993, 995, 1433, 1521, 1883, 2049, 3000, 3306, 3389],
	...[4222, 5000, 5222, 5432, 5671, 5672, 5984, 6379, 8000, 8080, 8081, 8086, 8443, 8883, 8888, 9000, 9042, 9092, 9200],
	...[9418, 11434, 27017],
];

export const dnsPort = 53;

export interface NetworkRules {
	/** Everything the jail's own network listens on; empty means no network. */
	readonly ports: readonly number[];
	/** As the author wrote them, for the model. */
	readonly allowed: readonly string[];
	allowsName(name: string): boolean;
	allowsPort(name: string, port: number): boolean;
	/** Whether an address that a name led to may be used: public ones, and those the author listed. */
	allowsAddress(address: string): boolean;
}

/** Private, link-local, loopback, shared, multicast, documentation and metadata ranges (IANA special-purpose registries). */
const special = new BlockList();
for (const [network, prefix] of [
	...[
		['0.0.0.0', 8],
		['10.0.0.0', 8],
		['100.64.0.0', 10],
		['127.0.0.0', 8],
		['169.254.0.0', 16],
		['172.16.0.0', 12],
	],
	...[
		['192.0.0.0', 24],
		['192.0.2.0', 24],
		['192.88.99.0', 24],
		['192.168.0.0', 16],
		['198.18.0.0', 15],
	],
	...[
		['198.51.100.0', 24],
		['203.0.113.0', 24],
		['224.0.0.0', 4],
		['240.0.0.0', 4],
	],
] as [string, number][])
	special.addSubnet(network, prefix, 'ipv4');
/** Of version 6 only global unicast is public, and of that not what carries or stands for other addresses. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
for (const [network, prefix] of [
	...[
		['2001::', 23],
		['2001:db8::', 32],
		['2002::', 16],
		['3fff::', 20],
	],
] as [string, number][])
	special.addSubnet(network, prefix, 'ipv6');

function isPublic(address: string): boolean {
	if (isIP(address) === 4) return !special.check(address, 'ipv4');
	return isIP(address) === 6 && globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

class NoHost extends Error {}

const refuse = (entry: string) =>
	new NoHost(`"${entry}" is not a host; write example.com, *.example.com, example.com:8443 or an address range`);

/** Lower case, without the final dot, international names as they are asked for. */
export function normaliseName(name: string): string {
	return domainToASCII(name.replace(/\.$/, '')).toLowerCase();
}

const namePattern = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

function parseHost(entry: string): HostRule {
	const [, star, host = '', port] = /^(\*\.)?([^:/\s]+?)(?::(\d{1,5}))?$/.exec(entry) ?? [];
	const name = normaliseName(host);
	const number = port === undefined ? undefined : Number(port);
	if (!namePattern.test(name) || isIP(name) !== 0 || /^\d+$/.test(name.split('.').at(-1) ?? '')) throw refuse(entry);
	if (number !== undefined && (number < 1 || number > 65_535 || number === dnsPort)) throw refuse(entry);
	return { name: star ? `.${name}` : name, port: number };
}

/** An address or a range, which opens what names may lead to; it is no host of its own. */
function addAddress(listed: BlockList, entry: string): boolean {
	const [address = '', prefix, ...more] = entry.split('/');
	const version = isIP(address);
	if (version === 0) return false;
	const family = version === 4 ? 'ipv4' : 'ipv6';
	const bits = version === 4 ? 32 : 128;
	if (
		more.length > 0 ||
		address.includes('%') ||
		(prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
	)
		throw refuse(entry);
	listed.addSubnet(address, prefix === undefined ? bits : Number(prefix), family);
	return true;
}

const matches = (rule: HostRule, name: string): boolean =>
	rule.name.startsWith('.') ? name.endsWith(rule.name) && name.length > rule.name.length : name === rule.name;

const reaches = (rule: HostRule, port: number): boolean =>
	rule.port === undefined ? webPorts.includes(port) : rule.port === port;

/** Whether a name and a port are on a list of hosts. */
export function hostMatcher(entries: readonly string[]): (name: string, port: number) => boolean {
	const hosts = entries.map(parseHost);
	return (name, port) => hosts.some((rule) => matches(rule, name) && reaches(rule, port));
}

/** @returns what is wrong with the first entry that is no host; `ranges` says whether addresses may stand there, too */
export function hostFault(entries: readonly string[], { ranges }: { readonly ranges: boolean }): string | undefined {
	try {
		for (const entry of entries) if (!(ranges && addAddress(new BlockList(), entry))) parseHost(entry);
		return undefined;
	} catch (error) {
		if (error instanceof NoHost) return error.message;
		throw error;
	}
}

function rulesForHosts(entries: readonly string[]): NetworkRules {
	const listed = new BlockList();
	const hosts = entries.filter((entry) => !addAddress(listed, entry)).map(parseHost);
	const ports = hosts.flatMap((rule) => (rule.port === undefined ? webPorts : [rule.port]));
	return {
		ports: hosts.length === 0 ? [] : [dnsPort, ...new Set(ports)],
		allowed: entries,
		allowsName: (name) => hosts.some((rule) => matches(rule, name)),
		allowsPort: (name, port) => hosts.some((rule) => matches(rule, name) && reaches(rule, port)),
		allowsAddress: (address) => isPublic(address) || listed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
	};
}

const everyPublicHost: NetworkRules = {
	ports: [dnsPort, ...commonPorts],
	allowed: ['every public host'],
	allowsName: (name) => namePattern.test(name),
	allowsPort: (_name, port) => commonPorts.includes(port),
	allowsAddress: isPublic,
};

/** Throws JOB_INVALID for an entry that is no host; an empty list allows nothing. */
export function networkRules(network: Network): NetworkRules {
	if (network === 'full') return everyPublicHost;
	const entries = network === 'none' ? [] : network;
	const fault = hostFault(entries, { ranges: true });
	if (fault !== undefined) throw new KnownError('JOB_INVALID', { details: fault });
	return rulesForHosts(entries);
}
