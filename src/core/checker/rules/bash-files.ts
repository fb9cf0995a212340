/** Rules about the files that shell commands delete, overwrite and read. */
import type { CommandFact, Fact } from '../facts.ts';
import { baseOf, joinPaths, normalisePath } from '../values/fold-paths.ts';
import { HOLE, rowOf } from '../values/value.ts';
import { placeOf, readObjections, writeObjections } from './paths.ts';
import type { Objection, Rule, RuleContext } from './rule.ts';

const isOption = (word: string): boolean => word.startsWith('-') && word.length > 1;
const operands = (args: readonly string[]): string[] => {
	const end = args.indexOf('--');
	return end < 0
		? args.filter((arg) => !isOption(arg))
		: [...args.slice(0, end).filter((arg) => !isOption(arg)), ...args.slice(end + 1)];
};

/** A word as a path in the folder of the command. */
const inFolder = (word: string, folder: string): string =>
	/^[/~]/.test(word) || word.startsWith(HOLE) ? word : joinPaths([folder, word]);

const deleters = /^(rm|rmdir|unlink|shred|srm|wipe)$/;
const wholeFolders = /^\/?(work)?(\/\*|\/\.\*|\/|\/\.\[\^\.\]\*)*$/;

function deletedBy(fact: CommandFact): string[] {
	const [name = '', ...args] = fact.argv;
	if (deleters.test(baseOf(name))) {
		const files = operands(args).filter((file) => !/^\d+$/.test(file));
		return fact.wrappers.includes('xargs') && files.length === 0 ? listed(fact) : files;
	}
	if (baseOf(name) === 'find' && args.some((arg) => arg === '-delete')) return searchedBy(args);
	if (
		baseOf(name) === 'find' &&
		args.some((arg, i) => /^-(exec|ok)(dir)?$/.test(arg) && deleters.test(baseOf(args[i + 1] ?? '')))
	)
		return searchedBy(args);
	if (baseOf(name) === 'rsync' && args.some((arg) => arg.startsWith('--delete'))) return operands(args).slice(-1);
	return baseOf(name) === 'git' && args[0] === 'clean' ? [] : [];
}

/** The folders in which find starts. */
function searchedBy(args: readonly string[]): string[] {
	const first = args.findIndex((arg) => /^[-(!]/.test(arg) && !/^-[HLPO]/.test(arg));
	const folders = args.slice(0, first < 0 ? args.length : first).filter((arg) => !isOption(arg));
	return folders.length > 0 ? folders : ['.'];
}

/** xargs deletes what the command before it lists. */
function listed(fact: CommandFact): string[] {
	const source = fact.input?.from.find(([name]) => /^(find|ls|echo|printf|fd|locate|cat)$/.test(baseOf(name ?? '')));
	if (!source) return [];
	const [name = '', ...args] = source;
	if (baseOf(name) === 'find') return searchedBy(args);
	return /^(echo|printf)$/.test(name) || baseOf(name) === 'ls' ? operands(args).flatMap((arg) => arg.split(/\s+/)) : [];
}

function deletion(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'command') return [];
	return deletedBy(fact).flatMap((word) => objectionToDeleting(word, fact, options));
}

function objectionToDeleting(word: string, fact: CommandFact, options: RuleContext['options']): Objection[] {
	const name = baseOf(fact.argv[0] ?? '');
	const isSearch = !deleters.test(name);
	if (/^\uE0FF\/?\*?$|^\uE0FF\/\*/.test(word) && word !== HOLE) {
		return [
			{
				severity: 'warn',
				resolved: 'a variable that may be empty',
				reason: 'if the variable is empty, it deletes from the root',
				fix: 'Stop when it is empty: [ -n "$dir" ] || exit 1.',
			},
		];
	}
	const path = inFolder(word, fact.folder);
	const isWhole =
		wholeFolders.test(normalisePath(path).replaceAll(HOLE, '?')) && !(isSearch && normalisePath(path) !== '/');
	if (/^\/work/.test(normalisePath(path)) && isWhole && name !== 'rmdir') {
		const isRecursive = fact.argv.some((arg) => /^-[a-zA-Z]*[rR]|^--recursive/.test(arg));
		if (!isRecursive) return [];
		return [
			{
				resolved: normalisePath(path),
				reason: 'it deletes everything that the sandbox gives you',
				fix: 'Delete single files, or a folder of your own below /work.',
			},
		];
	}
	return writeObjections('deletes', path, options);
}

const deleteRule: Rule = {
	id: 'BASH-DELETE',
	cwe: 'CWE-73',
	severity: 'block',
	language: 'bash',
	summary: 'Deletes files outside the writable folders or the whole working folder; a prefix that may be empty warns.',
	dependsOn: ['writableRoots'],
	judge: deletion,
	denies: { code: 'd=/etc\nrm -rf "$d"' },
	allows: { code: 'rm -rf /work/build' },
};

type Writes = (args: readonly string[]) => readonly string[];

const allOperands: Writes = operands;
const lastOperand: Writes = (args) => {
	const target = args.findIndex((arg) => arg === '-t' || arg === '--target-directory');
	return target >= 0 ? [args[target + 1] ?? ''] : operands(args).slice(-1);
};
const afterFirst: Writes = (args) => operands(args).slice(1);
const optionValue =
	(pattern: RegExp): Writes =>
	(args) =>
		args.flatMap((arg, i) => {
			const joined = pattern.exec(arg);
			return joined ? [joined[1] ?? args[i + 1] ?? ''] : [];
		});

const writers: Readonly<Record<string, Writes>> = {
	tee: allOperands,
	cp: lastOperand,
	mv: allOperands,
	install: lastOperand,
	ln: lastOperand,
	touch: allOperands,
	mkdir: allOperands,
	truncate: allOperands,
	mkfifo: allOperands,
	mktemp: optionValue(/^(?:-p|--tmpdir=(.+))$/),
	chmod: afterFirst,
	chown: afterFirst,
	chgrp: afterFirst,
	chattr: afterFirst,
	setfacl: allOperands,
	sed: (args) => (args.some((arg) => /^(-[a-zA-Z]*i|--in-place)/.test(arg)) ? afterFirst(args) : []),
	perl: (args) => (args.some((arg) => /^-[a-zA-Z]*i/.test(arg)) ? allOperands(args) : []),
	dd: optionValue(/^of=(.+)$/),
	unzip: optionValue(/^-d(.+)?$/),
	tar: optionValue(/^(?:-C|--directory=(.+))$/),
	curl: optionValue(/^(?:-o|--output(?:=(.+))?)$/),
	wget: optionValue(/^(?:-O|--output-document=(.+)|-P)$/),
	rsync: lastOperand,
	scp: (args) => lastOperand(args).filter((file) => !file.includes(':')),
	gzip: allOperands,
	bzip2: allOperands,
	xz: allOperands,
	split: afterFirst,
	patch: (args) => operands(args).slice(0, 1),
	ed: allOperands,
	ex: allOperands,
};

function written(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'command') return [];
	const [name = '', ...args] = fact.argv;
	const writes = rowOf(writers, baseOf(name));
	const files = (writes?.(args) ?? []).map((word) => inFolder(word, fact.folder));
	const redirected = fact.redirects.flatMap(({ operator, target }) => (isOutput(operator, target) ? [target] : []));
	const verb = /^(chmod|chown|chgrp|chattr)$/.test(name) ? 'changes' : name === 'mv' ? 'moves' : 'writes';
	return [
		...files.flatMap((file) => writeObjections(verb, file, options)),
		...redirected.flatMap((file) => writeObjections('writes', file, options)),
		...openToAll(fact, options),
	].filter((objection) => !/^\/dev\/(tcp|udp|sd|hd|vd|nvme|mem|xvd)/.test(objection.resolved ?? ''));
}

const isOutput = (operator: string, target: string): boolean =>
	/^(>|>>|>\||&>|&>>|<>)$/.test(operator) || (operator === '>&' && !/^-?\d*-?$/.test(target));

/** `chmod 777` on what is not the program's own. */
function openToAll(fact: CommandFact, options: RuleContext['options']): Objection[] {
	const [name = '', ...args] = fact.argv;
	if (
		baseOf(name) !== 'chmod' ||
		!args.some((arg) => /^[0-7]?[0-7][0-7][2367]$|^(a|o|ugo)?[+=][rwxst]*w/.test(arg) && !/^u|^g/.test(arg))
	)
		return [];
	const isInside = afterFirst(args).some((file) => placeOf(inFolder(file, fact.folder), options) === 'allowed');
	return [
		{
			...(isInside ? { severity: 'warn' as const } : {}),
			resolved: 'chmod',
			reason: 'it lets everybody write the file',
			fix: 'Use chmod 644, or 755 for a program.',
		},
	];
}

const writeRule: Rule = {
	id: 'BASH-FSWRITE',
	cwe: 'CWE-22',
	severity: 'block',
	language: 'bash',
	summary:
		'Writes, moves or changes files outside the writable folders: redirections, tee, cp, mv, ln, sed -i, chmod and the like.',
	dependsOn: ['writableRoots'],
	judge: written,
	denies: { code: 'echo x >> /etc/hosts' },
	allows: { code: 'echo x > /work/out.txt; ls 2>/dev/null' },
};

/** The first word of these is a pattern or a program, not a file. */
const patternFirst = /^(grep|egrep|fgrep|rg|sed|awk|gawk|mawk|jq|perl|tr|find|echo|printf|test|\[|\[\[|expr)$/;
const notReaders =
	/^(echo|printf|test|\[|cd|ls|mkdir|touch|chmod|chown|rm|rmdir|which|type|command|export|alias|unalias|dirname|basename|stat|\[\[)$/;

function readFrom(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'command') return [];
	const [name = '', ...args] = fact.argv;
	const base = baseOf(name);
	const words = notReaders.test(base)
		? []
		: patternFirst.test(base) && base !== 'find'
			? afterFirst(args)
			: [...operands(args), ...valuesOf(args)];
	const inputs = fact.redirects.flatMap(({ operator, target }) =>
		operator === '<' || operator === '<>' ? [target] : [],
	);
	const paths = [...words.map((word) => inFolder(word, fact.folder)), ...inputs];
	return paths
		.filter((path) => !/^\/dev\/(sd|hd|vd|nvme|xvd|loop|disk|mapper|tcp|udp)/.test(path))
		.flatMap((path) => readObjections(path, options, false));
}

/** `--file=/etc/shadow`, `@/etc/shadow`, `if=/etc/shadow` */
const valuesOf = (args: readonly string[]): string[] =>
	args.flatMap((arg) => {
		const value = /^(?:--?[\w-]+=|\w+=|[\w-]*@)(\/.+)$/.exec(arg)?.[1];
		return value === undefined ? [] : [value];
	});

const readRule: Rule = {
	id: 'BASH-FSREAD',
	cwe: 'CWE-200',
	severity: 'block',
	language: 'bash',
	summary: 'Reads accounts, keys, logs of the system or other processes.',
	dependsOn: ['readDeny'],
	judge: readFrom,
	denies: { code: 'cat /etc/sh""adow' },
	allows: { code: 'grep /etc/shadow /work/in/notes.txt' },
};

const disks = /^\/dev\/(sd|hd|vd|xvd|nvme|mmcblk|dm-|mapper|disk|loop|md|mem|kmem|port)/;

function diskUse(fact: Fact): Objection[] {
	if (fact.kind !== 'command') return [];
	const [name = '', ...args] = fact.argv;
	const fix = 'Write ordinary files below /work.';
	if (
		/^(mkfs(\.\w+)?|mke2fs|fdisk|sfdisk|cfdisk|parted|wipefs|mkswap|swapon|swapoff|blkdiscard|hdparm|badblocks|fsck(\.\w+)?|losetup|cryptsetup|lvremove|vgremove|pvremove|mdadm|sgdisk|gdisk|tune2fs|resize2fs|debugfs|dmsetup)$/.test(
			baseOf(name),
		)
	) {
		return args.some((arg) => /^(--help|--version|-V|-h)$/.test(arg))
			? []
			: [{ resolved: baseOf(name), reason: 'it changes disks', fix }];
	}
	const looks =
		/^(ls|stat|file|test|\[|df|lsblk|mount|umount|blkid|echo|printf|find|grep|readlink|basename|dirname)$/.test(
			baseOf(name),
		);
	const targets = [
		...fact.redirects.map(({ target }) => target),
		...(looks ? [] : args.map((arg) => arg.replace(/^(of|if)=/, ''))),
	];
	return targets
		.filter((target) => disks.test(target))
		.map((target) => ({ resolved: target, reason: 'it reaches a disk or the memory of the machine directly', fix }));
}

const diskRule: Rule = {
	id: 'BASH-DISK',
	cwe: 'CWE-782',
	severity: 'block',
	language: 'bash',
	summary: 'Reaches disks directly: dd to a device, mkfs, fdisk, wipefs, redirections to a device.',
	dependsOn: [],
	judge: diskUse,
	denies: { code: 'dd if=/dev/zero of=/dev/sda bs=1M' },
	allows: { code: 'dd if=/dev/zero of=/work/blank bs=1M count=1' },
};

export const bashFileRules: readonly Rule[] = [deleteRule, diskRule, writeRule, readRule];
