/** What ends, halts or changes the machine itself: disks, power, the kernel. Pure. */
import type { Fact } from '../../../checker/facts.ts';
import { asksForHelp, hasFlag, operands, type Started } from '../started.ts';
import { isDevice } from '../targets.ts';
import type { KillRule } from './rule.ts';

/** Programs that copy or overwrite what they are given. */
const copiers =
	/^(dd|dcfldd|ddrescue|dd_rescue|tee|sponge|cp|mv|install|shred|wipe|srm|truncate|fallocate|pv|cat|gzip|xz|zcat|head|tail|od|xxd|hexdump|strings|nc|socat)$/;

function touchesDevice({ name, args, fact }: Started): boolean {
	const isRedirected = fact.redirects.some(({ target }) => isDevice(target));
	const words = args.map((arg) => arg.replace(/^(of|if)=/, ''));
	return isRedirected || (copiers.test(name) && words.some(isDevice));
}

const opensDevice = (fact: Fact): boolean =>
	fact.kind === 'call' &&
	/(^|\.)(open|write_bytes|openSync|writeFileSync|createWriteStream)$/.test(fact.path) &&
	(fact.args[0] ?? []).some((value) => (value.kind === 'text' || value.kind === 'path') && isDevice(value.text));

/** Tools for disks with the uses that only look. */
const diskTools: Readonly<Record<string, RegExp | null>> = {
	mke2fs: null,
	mkswap: null,
	mkdosfs: null,
	mkntfs: null,
	wipefs: /^(?!.*(^| )(-[a-z]*a|--all|-o|--offset|-f|--force)( |=|$))/,
	fdisk: /(^| )(-l|--list|-s)( |$)/,
	sfdisk: /(^| )(-l|--list|-d|--dump|-s|-V|--verify)( |$)/,
	cfdisk: null,
	gdisk: /(^| )-l( |$)/,
	sgdisk: /^(-p|-i|-O|--print|--info)/,
	parted: /(^| )(-l|--list|print|unit \S+ print( free)?)( |$)/,
	partprobe: /(^| )(-s|-d)( |$)/,
	blkdiscard: null,
	badblocks: /^(?!.*(^| )-[a-z]*[wn])/,
	hdparm: /^(?!.*--(security|trim|write|fwdownload|make-bad|dco))/,
	nvme: /^(?!(format|sanitize|write|fw-|delete-ns|detach-ns|zns))/,
	lvremove: null,
	vgremove: null,
	pvremove: null,
	pvcreate: null,
	vgreduce: null,
	mdadm: /(^| )(-D|--detail|-E|--examine|-Q|--query)( |$)/,
	cryptsetup: /^(status|luksDump|isLuks|luksUUID|benchmark)/,
	zpool: /^(list|status|iostat|get|history)/,
	zfs: /^(list|get|holds|diff)/,
	dmsetup: /^(ls|info|table|status|targets|version)/,
	debugfs: /^(?!.*(^| )-w)/,
	losetup: /^(-a|-l|--list|--all|-j \S+)?$/,
	mkinitrd: null,
};

function changesDisks({ name, args }: Started): boolean {
	if (asksForHelp(args)) return false;
	if (/^mkfs(\.|$)/.test(name)) return true;
	if (!Object.hasOwn(diskTools, name)) return false;
	return !(diskTools[name]?.test(args.join(' ')) ?? false);
}

const powerVerbs =
	/^(reboot|poweroff|halt|kexec|soft-reboot|suspend|hibernate|hybrid-sleep|suspend-then-hibernate|sleep|emergency|rescue|isolate|exit|default)$/;
const powerCall = /(login1|UPower|ConsoleKit|systemd1).*(PowerOff|Reboot|Halt|Suspend|Hibernate|KExec)/;

function changesPower({ name, args }: Started): boolean {
	if (asksForHelp(args)) return false;
	if (/^(shutdown|reboot|halt|poweroff|pm-suspend|pm-hibernate|pm-powersave|rtcwake|systemd-sleep)$/.test(name))
		return !args.includes('-c') && !(name === 'shutdown' && args.includes('--show'));
	if (name === 'init' || name === 'telinit') return args.some((arg) => /^[0-6sSqQ]$/.test(arg));
	if (name === 'systemctl' || name === 'loginctl')
		return operands(args)
			.slice(0, 1)
			.some((verb) => powerVerbs.test(verb));
	if (name === 'busctl' || name === 'dbus-send' || name === 'gdbus' || name === 'qdbus')
		return powerCall.test(args.join(' '));
	if (name === 'sysctl') return args.some((arg) => /^kernel\.(panic|sysrq)=/.test(arg));
	return name === 'kexec';
}

function loadsModules({ name, args }: Started): boolean {
	if (asksForHelp(args)) return false;
	if (/^(insmod|rmmod)$/.test(name)) return true;
	if (name === 'modprobe')
		return !hasFlag(
			args,
			'nDcR',
			/^--(dry-run|show|resolve-alias|showconfig|dump-modversions|show-depends|show-config)/,
		);
	if (name === 'kmod') return /^(load|unload|insert|remove|insmod|modprobe|rmmod)/.test(args[0] ?? '');
	return name === 'bpftool' ? args.includes('load') || args.includes('loadall') : false;
}

export const machineRules: readonly KillRule[] = [
	{
		name: 'block-device',
		what: 'read or write a disk or the memory of the machine past its files',
		command: touchesDevice,
		fact: opensDevice,
	},
	{ name: 'disk', what: 'format, wipe or partition disks', command: changesDisks },
	{ name: 'power', what: 'shut down, restart or suspend the machine', command: changesPower },
	{ name: 'kernel-module', what: 'load or unload parts of the kernel', command: loadsModules },
];
