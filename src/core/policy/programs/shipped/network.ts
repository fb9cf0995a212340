/** Programs that show the network. In the jail of the shipped policies there is none but their own. Pure. */
import type { ProgramInput } from '../../schema.ts';

const show = (positionals: string) => ({ positionals });
const ipFamily = Object.fromEntries(
	[
		'address',
		'addr',
		'a',
		'link',
		'l',
		'route',
		'r',
		'neighbour',
		'neighbor',
		'neigh',
		'n',
		'rule',
		'maddress',
		'maddr',
		'tunnel',
	].map((name) => [
		name,
		{
			subcommands: Object.fromEntries(
				['show', 'list', 'ls', 'sh', 's', 'get'].map((verb) => [verb, show('/[A-Za-z0-9_.:@\\/-]+/*')]),
			),
		},
	]),
);

export const networkPrograms: readonly ProgramInput[] = [
	{
		name: 'ip',
		isExecCapable: true,
		// One word each: "-br" and "-br4" are the program's own way of writing.
		flagStyle: 'words',
		flags:
			'-4 -6 -0 -br -brief -c -color -d -details -f=(inet|inet6|link) -h -human -j -json -o -oneline -p -pretty -r -resolve -s -stats -statistics -t -timestamp -V -Version',
		subcommands: ipFamily,
		allows: ['ip a', 'ip -br addr show', 'ip route', 'ip -j link show eth0', 'ip route get 1.1.1.1'],
		denies: [
			'ip link set eth0 down',
			'ip netns exec x sh',
			'ip addr add 1.2.3.4/8 dev lo',
			'ip -b /tmp/x',
			'ip -force -batch x',
			'ip route del default',
			'ip -n x a',
			'ip vrf exec x sh',
		],
	},
	{
		name: 'ss',
		flags: `-0 -4 -6 -a -b -e -E -H -i -l -m -M -n -N=name -o -O -p -r -s -S -t -T -u -v -V -w -x -Z --all --listening --numeric --resolve --options --extended --memory --processes
			--threads --info --summary --tcp --udp --raw --unix --packet --no-header --oneline --ipv4 --ipv6 -f=name --family=name --help --version`,
		positionals: '/[A-Za-z0-9_.:=!<>()*\\/\\[\\]\\s-]+/*',
		allows: ['ss -tlnp', "ss -tn state established '( dport = :443 )'"],
		denies: ['ss -K dst 1.2.3.4', 'ss -D /tmp/x', 'ss -F /etc/shadow'],
	},
	{
		name: 'netstat',
		flags:
			'-a -c -e -g -i -l -M -n -N -o -p -r -s -t -u -v -w -W -x -4 -6 --all --listening --numeric --programs --route --tcp --udp --statistics --interfaces',
	},
	{
		name: 'ping',
		flags: '-4 -6 -c=/[1-9]\\d?/ -i=number -n -q -s=/\\d{1,4}/ -t=integer -w=/\\d{1,3}/ -W=number -D -v -V',
		positionals: '/[A-Za-z0-9_.:%-]+/',
		allows: ['ping -c 3 127.0.0.1'],
		denies: ['ping -f 1.2.3.4', 'ping -c 100000 1.2.3.4', 'ping -b 255.255.255.255', 'ping -s 65000 x'],
	},
	{
		name: 'dig',
		flags: '-4 -6 -t=name -x=name -p=integer -q=name',
		positionals: '/[@+]?[A-Za-z0-9_.:=-]+/*',
		denies: ['dig -f /etc/shadow', 'dig -k /tmp/x a', 'dig -b 1.2.3.4 a'],
	},
	{
		name: 'host',
		flags: '-4 -6 -a -C -d -i -l -n -r -s -t=name -T -U -v -W=integer -R=integer',
		positionals: '/[A-Za-z0-9_.:-]+/ /[A-Za-z0-9_.:-]+/?',
	},
	{ name: 'nslookup', flags: '', positionals: '/[A-Za-z0-9_.:-]+/ /[A-Za-z0-9_.:-]+/?', denies: ['nslookup'] },
	{ name: 'ifconfig', flags: '-a -s', positionals: '/[A-Za-z0-9_.:-]+/?', denies: ['ifconfig eth0 down'] },
	{ name: 'route', flags: '-n -e -ee -4 -6', positionals: '', denies: ['route add default gw 1.2.3.4'] },
	{ name: 'arp', flags: '-a -e -n -v', positionals: '', denies: ['arp -s 1.2.3.4 x', 'arp -d x', 'arp -f x'] },
	{ name: 'traceroute', flags: '-4 -6 -n -m=integer -q=integer -w=number', positionals: '/[A-Za-z0-9_.:-]+/' },
	{ name: 'tracepath', flags: '-4 -6 -n -b -m=integer', positionals: '/[A-Za-z0-9_.:-]+/' },
	{
		name: 'lsof',
		flags: '-a -i[=text] -n -P -p=text -u=text -c=text -t -l -U -b -w -R -d=text',
		positionals: '',
		denies: ['lsof +f x', 'lsof -D b'],
	},
];
