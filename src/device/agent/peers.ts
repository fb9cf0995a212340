/** Networks written as CIDR, and whether an address lies in one of them. */
import { BlockList, isIP } from 'node:net';
import { KnownError } from '../../contract/error.ts';

function addNetwork(list: BlockList, network: string): void {
	const [address = '', bits, ...more] = network.split('/');
	const family = isIP(address);
	const most = family === 4 ? 32 : 128;
	const prefix = bits === undefined ? most : Number(bits);
	if (family === 0 || more.length > 0 || !/^\d+$/.test(bits ?? '0') || prefix > most)
		throw new KnownError('CONFIG_INVALID', { details: `${network} is no network, for example 10.42.0.0/24` });
	list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
}

/** Throws CONFIG_INVALID for what is no network. An empty list holds nobody. */
export function networksOf(networks: readonly string[]): (address: string | undefined) => boolean {
	const list = new BlockList();
	for (const network of networks) addNetwork(list, network);
	return (address) => {
		// IPv4 peers of a socket that speaks both show themselves as ::ffff:a.b.c.d.
		const plain = address?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
		const family = isIP(plain);
		return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
	};
}
