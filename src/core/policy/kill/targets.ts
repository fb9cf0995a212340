/** Which files and folders of a device the kill list guards. Pure. */
import { mayCover, partsOf } from '../paths.ts';
import { anyName } from '../wildcards.ts';
import { hole } from './started.ts';

/** No pattern matches an unknown piece: nobody knows what it is. */
const unknownName = '\u0001';

export interface Target {
	readonly names: readonly string[];
	/** It lies where the job itself works, and was named from there. */
	readonly isRelative: boolean;
}

/** @param folder the folder of the command, as facts have it */
export function targetOf(word: string, folder: string): Target {
	const isHome = /^~[^/]*(\/|$)/.test(word);
	const isRelative = !isHome && !word.startsWith('/');
	const path = isHome ? word.replace(/^~[^/]*/, '/home/user') : isRelative ? `${folder}/${word}` : word;
	const names: string[] = [];
	for (const name of path.split('/')) {
		if (name === '..') names.pop();
		else if (name !== '' && name !== '.') names.push(plain(name));
	}
	return { names, isRelative };
}

const plain = (name: string): string =>
	name
		.replaceAll(hole, unknownName)
		.replaceAll(/\[[^\]]*\]|[*?]+/g, anyName)
		.slice(0, 256);

const trees = partsOf(
	'bin/boot/dev/etc/home/lib/lib32/lib64/libx32/media/mnt/opt/proc/root/run/sbin/srv/sys/usr/var/Users/Library/System/Applications/private',
);
const innerTrees = [
	'/home/*',
	'/Users/*',
	'/usr/*',
	'/boot/*',
	'/lib/*',
	'/lib64/*',
	'/bin/*',
	'/sbin/*',
	'/var/lib',
	'/var/log',
	'/var/spool',
	'/var/mail',
];
const homeOfJobs = 'work';

/** The root, a system tree, a home folder, or all that lies in one of them. */
export function isTree({ names, isRelative }: Target): boolean {
	const last = names.at(-1);
	if (last === undefined) return true;
	if (last === anyName && isTree({ names: names.slice(0, -1), isRelative })) return true;
	if (names.length === 1)
		return trees.some((tree) => mayCover([tree], names)) || (names[0] === homeOfJobs && !isRelative);
	return innerTrees.some((tree) => partsOf(tree).length === names.length && mayCover(partsOf(tree), names));
}

const devicePattern =
	/^\/dev\/(sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme\d|mmcblk\d|dm-\d|md\d|loop\d|sr\d|nbd\d|zd\d|rbd\d|zram\d|mapper\/|disk\/|block\/|mem$|kmem$|port$|[a-z]*[*?[])/;

/** A disk, a part of one, or the memory of the machine. */
export const isDevice = (word: string): boolean =>
	devicePattern.test(word) || /^(\\\\\.\\)(physicaldrive|[a-z]:)/i.test(word);

const guarded = [
	...[
		'/etc/sudoers*',
		'/etc/pam.d',
		'/etc/pam.conf',
		'/etc/security',
		'/etc/ssh',
		'/etc/cron*',
		'/etc/anacrontab',
		'/var/spool/cron',
	],
	...[
		'/var/spool/at',
		'/etc/systemd',
		'/lib/systemd',
		'/usr/lib/systemd',
		'/run/systemd',
		'/usr/local/lib/systemd',
		'**/systemd/user',
	],
	...[
		'/etc/init.d',
		'/etc/rc*',
		'/etc/inittab',
		'/etc/passwd*',
		'/etc/shadow*',
		'/etc/group*',
		'/etc/gshadow*',
		'/etc/ld.so*',
	],
	...[
		'/etc/modules*',
		'/etc/modprobe.d',
		'/etc/audit*',
		'/etc/rsyslog*',
		'/etc/apparmor*',
		'/etc/selinux',
		'/etc/nftables*',
		'/etc/iptables*',
	],
	...[
		'/etc/ufw',
		'/etc/firewalld',
		'/etc/fail2ban',
		'**/.ssh/authorized_keys*',
		'**/.ssh/rc',
		'/var/log/audit',
		'/var/log/journal',
	],
	...[
		'/var/log/auth.log*',
		'/var/log/secure*',
		'/var/log/wtmp*',
		'/var/log/btmp*',
		'/var/log/lastlog',
		'/var/log/faillog',
	],
	...[
		'/proc/sys/kernel',
		'/proc/sysrq-trigger',
		'/proc/*/mem',
		'/sys/kernel',
		'/sys/power',
		'/sys/fs/selinux',
		'**/release_agent',
	],
].map(partsOf);

/** What decides who may do what, what runs by itself, and what is written down. */
export const isGuarded = ({ names }: Target): boolean => guarded.some((parts) => mayCover(parts, names));

const ownPlaces = ['/var/lib/secure-code-agent', '/etc/secure-code-agent', '/run/secure-code-agent'];

/** State, keys and audit of the agent. */
export function isOwn({ names }: Target, own: readonly string[]): boolean {
	// "*" alone is everything, and looking at everything is not looking for this.
	const named = names.map((name) => (name === anyName ? unknownName : name));
	return [...own, ...ownPlaces].some((path) => mayCover(partsOf(path), named));
}
