/** Which files a program may write, and which ones nobody needs to read. */
import type { CheckOptions } from '../options.ts';
import { baseOf, normalisePath } from '../values/fold-paths.ts';
import { HOLE } from '../values/value.ts';
import type { Objection } from './rule.ts';

const streams =
	/^(\/dev\/(null|zero|full|stdin|stdout|stderr|tty|ptmx|urandom|random|fd\/.*|shm(\/.*)?)|\/proc\/self\/fd\/.*)$/;
const startupFiles =
	/^\.?(bashrc|bash_profile|bash_login|bash_aliases|profile|zshrc|zshenv|zprofile|kshrc|cshrc|bash_logout|xinitrc)$|^(authorized_keys|crontab|sitecustomize\.py|usercustomize\.py)$/;
/** Paths that examples use for "put your own here". */
const placeholders = /^\/(path|your|example|some|dummy|fake)(\/|_|$)|\/path\/to\//;

export type Place = 'allowed' | 'outside' | 'above' | 'startup' | 'unknown';

/** Where a path leads that is written to. */
export function placeOf(written: string, options: CheckOptions): Place {
	if (written === '' || written === '-' || written.startsWith(HOLE) || /^[a-z][a-z0-9+.-]+:\/\//i.test(written))
		return 'unknown';
	if (startupFiles.test(baseOf(written))) return 'startup';
	const path = normalisePath(written);
	if (streams.test(path)) return 'allowed';
	const isRelative = !/^[/~]/.test(written);
	if (isWithin(path, options.writableRoots)) return 'allowed';
	if (isUnknownWithin(path, options.writableRoots) || placeholders.test(path)) return 'unknown';
	return isRelative && !sensitive(path) && !written.includes('/etc/') ? 'above' : 'outside';
}

const isWithin = (path: string, roots: readonly string[]): boolean =>
	roots.some((root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`));

/** The known beginning of the path could still grow into a root. */
function isUnknownWithin(path: string, roots: readonly string[]): boolean {
	const hole = path.indexOf(HOLE);
	if (hole < 0) return false;
	const known = path.slice(0, hole);
	return roots.some((root) => root.startsWith(known));
}

const secrets = [
	/^\/etc\/(shadow|gshadow|passwd|sudoers|master\.passwd|security|ssh|ssl\/private|krb5|cron|crontab|pam\.d|wireguard|openvpn|NetworkManager|docker|apt|rsyslog|logrotate|exports|fstab|machine-id|netplan|letsencrypt|mysql|postgresql|nginx|apache2)(-|\/|\.|_|$|\uE0FF)/,
	/^\/root(\/|$)/,
	/^\/(home\/[^/]+|root|work|Users\/[^/]+)\/\.(ssh|aws|gnupg|kube|docker|azure|config\/gcloud|netrc|pgpass|git-credentials|npmrc|pypirc|bash_history|zsh_history|python_history|mysql_history|psql_history|mozilla)/,
	/(^|\/)\.(ssh|aws|gnupg|kube|azure)\//,
	/(^|\/)(id_rsa|id_ed25519|id_ecdsa|id_dsa|authorized_keys|known_hosts|\.netrc|\.git-credentials|\.pgpass|\.bash_history)$/,
	/^\/proc\/(\d+|\uE0FF|\*|\[0-9\]\*|thread-self|1)\/(environ|mem|maps|root|fd|cmdline|cwd|exe|status|stack|syscall)/,
	/^\/proc\/self\/(mem|maps|root|exe|environ|pagemap|ns|attr)/,
	/^\/proc\/(kcore|kallsyms|kmsg|sysrq-trigger|keys|sched_debug|modules|iomem|ioports)/,
	/^\/proc\/sys\/kernel/,
	/^\/sys\/(kernel|fs|firmware|module|class\/dmi)/,
	/^\/dev\/(mem|kmem|port|sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme|mapper|dm-|loop|disk|kvm|input)/,
	/^\/(var\/)?run\/(docker|containerd|podman|crio|secrets)/,
	/^\/run\/user/,
	/^\/var\/(log\/(auth|secure|wtmp|btmp|lastlog|faillog|audit|messages|syslog|kern|dpkg|apt)|spool\/(cron|mail)|lib\/(docker|kubelet|mysql|postgresql)|backups|mail)/,
	/^\/boot(\/|$)/,
	/\/(win\.ini|SAM|boot\.ini)$/,
];

const harmlessInEtc =
	/^\/etc\/(os-release|debian_version|hostname|hosts|timezone|localtime|mime\.types|resolv\.conf|issue|lsb-release|ssl\/certs|ca-certificates|nsswitch\.conf|services|protocols|ld\.so\.conf|locale)/;

export const sensitive = (path: string): boolean => secrets.some((pattern) => pattern.test(path));

/** Whether a read is worth refusing. `broad`: a program of ours has no business in /etc at all. */
export function isSecret(written: string, options: CheckOptions, broad: boolean): boolean {
	if (written.startsWith(HOLE) || /^[a-z][a-z0-9+.-]+:\/\//i.test(written)) return false;
	const path = normalisePath(written.replace(/^file:\/\//, ''));
	const climbed = /^(\.\.\/)+/.test(written) || written.includes('/../');
	const candidates = climbed ? [path, `/${written.split('../').pop() ?? ''}`] : [path];
	if (/^(\.\.\/)+/.test(written) && candidates.some((one) => systemFolders.test(one))) return true;
	return candidates.some((one) => sensitive(one) || isWithin(one, options.readDeny) || (broad && isPrivateEtc(one)));
}

/** A relative path that climbs out and comes down here was not written by accident. */
const systemFolders = /^\/(usr|var|bin|sbin|lib\d*|opt|root|boot|sys|srv|etc)\//;

const isPrivateEtc = (path: string): boolean => /^\/etc(\/|$)/.test(path) && !harmlessInEtc.test(path);

const rootsOf = (options: CheckOptions): string => options.writableRoots.join(' and ');
const shown = (path: string): string => path.replaceAll(HOLE, '…').slice(0, 80);

/** Of the files of a program only those in this folder come back. */
const handedOver = '/work/out';

/** What is wrong with writing or deleting there. */
export function writeObjections(verb: string, written: string, options: CheckOptions): Objection[] {
	const place = placeOf(written, options);
	if (place === 'allowed' || place === 'unknown') return [];
	const name = baseOf(written).replaceAll(HOLE, 'file') || 'file';
	const [root = '/work'] = options.writableRoots;
	const fix = `Use a path below ${root}, for example "${root === '/work' ? handedOver : root}/${name}".`;
	const resolved = shown(written);
	if (place === 'startup')
		return [
			{
				resolved,
				reason: `it ${verb} a file that other programs run or trust at their start`,
				fix: `Choose another name below ${root}.`,
			},
		];
	const reason = `it ${verb} ${shown(normalisePath(written))}; only ${rootsOf(options)} are writable`;
	return [{ resolved, reason, fix, ...(place === 'above' ? { severity: 'warn' as const } : {}) }];
}

export function readObjections(written: string, options: CheckOptions, broad: boolean): Objection[] {
	if (!isSecret(written, options, broad)) return [];
	return [
		{
			resolved: shown(written),
			reason: 'it reads a file of the system or of somebody else',
			fix: 'Work with the input files in /work/in and with what the program makes itself.',
		},
	];
}
