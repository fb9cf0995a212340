/** A command as the kill list looks at it: what is started in the end, behind all that only starts it. Pure. */
import type { CommandFact } from '../../checker/facts.ts';
import { anyName, mayBeSame } from '../wildcards.ts';

export interface Started {
	/** In small letters, without folder and ending: a file system may not tell letters apart. */
	readonly name: string;
	readonly args: readonly string[];
	readonly fact: CommandFact;
}

/** What stands for an unknown piece of a word in facts. */
export const hole = '\uE0FF';

const nameOf = (word: string): string =>
	word
		.slice(Math.max(word.lastIndexOf('/'), word.lastIndexOf('\\')) + 1)
		.toLowerCase()
		.replace(/\.(exe|com|cmd|bat)$/, '');

/** Programs that start the words behind them, beside those that the checker knows: options that take a value, words of their own. */
const wrappers: Readonly<Record<string, { readonly valued?: RegExp; readonly fixed?: number }>> = {
	pkexec: { valued: /^--user$/ },
	runuser: { valued: /^-[ugG]$/ },
	setpriv: { valued: /^--(reuid|regid|groups|inh-caps|bounding-set|securebits)$/ },
	gosu: { fixed: 1 },
	'su-exec': { fixed: 1 },
	chroot: { fixed: 1 },
	unshare: { valued: /^--(setuid|setgid|root|wd)$/ },
	nsenter: { valued: /^-[tSG]$/ },
	fakeroot: {},
	proot: { valued: /^-[rbwq]$/ },
	firejail: {},
	'dbus-run-session': {},
	eatmydata: {},
	setarch: { fixed: 1 },
	linux32: {},
	linux64: {},
	prlimit: {},
	choom: { valued: /^-n$/ },
	cpulimit: { valued: /^-[lp]$/ },
	'start-stop-daemon': { valued: /^(-[xaun]|--(exec|startas|name|user|chuid))$/ },
	wsl: { valued: /^-[du]$/ },
};

function inside(
	{ valued, fixed = 0 }: { readonly valued?: RegExp; readonly fixed?: number },
	args: readonly string[],
): readonly string[] {
	let at = 0;
	while (at < args.length && args[at]?.startsWith('-')) {
		if (args[at] === '--') return args.slice(at + 1 + fixed);
		at += valued?.test(args[at] as string) ? 2 : 1;
	}
	return args.slice(at + fixed);
}

const deepest = 6;

/** The command itself, and the one inside it where it is a wrapper. */
export function startedBy(fact: CommandFact): Started[] {
	const found: Started[] = [];
	let words = fact.argv;
	for (let depth = 0; depth < deepest; depth++) {
		const [first = '', ...args] = words;
		if (first === '') break;
		for (const name of namesFor(nameOf(first))) found.push({ name, args, fact });
		const wrapper = Object.hasOwn(wrappers, nameOf(first)) ? wrappers[nameOf(first)] : undefined;
		if (!wrapper) break;
		words = inside(wrapper, args);
	}
	return found;
}

/** Names that a wildcard in the place of a command could find. */
const known =
	`rm rmdir dd mkfs mkfs.ext4 mkfs.xfs mke2fs mkswap wipefs fdisk sfdisk parted shutdown reboot halt poweroff init telinit
	systemctl insmod modprobe rmmod visudo crontab iptables ufw nft auditctl setenforce docker podman nsenter curl wget bash sh tee
	chmod chown mv shred find usermod passwd kexec`.split(/\s+/);

function namesFor(name: string): readonly string[] {
	if (!/[?*[]/.test(name) || name === '[' || name === '[[') return [name];
	const pattern = name.replaceAll(/\[[^\]]*\]?|[?*]+/g, anyName);
	return [name, ...known.filter((one) => mayBeSame(one, pattern))];
}

/** Words that are no options; all of them behind "--". */
export function operands(args: readonly string[]): string[] {
	const end = args.indexOf('--');
	const plain = (words: readonly string[]): string[] => words.filter((word) => !word.startsWith('-') || word === '-');
	return end < 0 ? plain(args) : [...plain(args.slice(0, end)), ...args.slice(end + 1)];
}

export const hasFlag = (args: readonly string[], letters: string, long: RegExp): boolean =>
	args.some((arg) => (/^-[A-Za-z]+$/.test(arg) ? [...letters].some((letter) => arg.includes(letter)) : long.test(arg)));

/** Only asks what the program is or how it is used. */
export const asksForHelp = (args: readonly string[]): boolean =>
	args.length > 0 && args.every((arg) => /^(--help|--version|-V|-h|help|version|\/\?)$/.test(arg));
