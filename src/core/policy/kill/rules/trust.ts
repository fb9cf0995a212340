/** What decides who may do what, what runs by itself, and what is written down about it. Pure. */
import type { Fact } from '../../../checker/facts.ts';
import { asksForHelp, hasFlag, operands, type Started } from '../started.ts';
import { isGuarded, isOwn, targetOf } from '../targets.ts';
import { writtenBy } from '../written.ts';
import type { KillContext, KillRule } from './rule.ts';

const powerfulGroups = /^(sudo|wheel|admin|root|docker|lxd|adm|disk|shadow)$/;

function changesAccounts({ name, args }: Started): boolean {
	if (asksForHelp(args)) return false;
	if (/^(visudo|vipw|vigr|chpasswd|newusers|pam-auth-update|authselect)$/.test(name)) return !args.includes('-c');
	if (name === 'passwd') return !hasFlag(args, 'S', /^--status/) && (operands(args)[0] ?? 'root') === 'root';
	const line = args.flatMap((arg) => arg.split(/[,=]/));
	if (name === 'usermod' || name === 'useradd' || name === 'adduser' || name === 'gpasswd' || name === 'addgroup')
		return line.some((word) => powerfulGroups.test(word)) || hasFlag(args, 'o', /^--non-unique/);
	return /^(userdel|deluser)$/.test(name) && args.includes('root');
}

function changesSchedule({ name, args }: Started): boolean {
	if (asksForHelp(args)) return false;
	if (name === 'crontab') return !hasFlag(args, 'l', /^--list/) || hasFlag(args, 're', /^--(remove|edit)/);
	return (
		name === 'systemctl' &&
		/^(edit|link|revert|set-property|set-default|preset-all|add-wants|add-requires)$/.test(operands(args)[0] ?? '')
	);
}

function writesGuarded(started: Started): boolean {
	const { folder } = started.fact;
	return writtenBy(started).some((word) => isGuarded(targetOf(word, folder)));
}

/** A redirection that stands alone, or a write from Python or JavaScript. */
function writesGuardedFile(fact: Fact): boolean {
	if (fact.kind === 'command' && fact.argv.length === 0)
		return fact.redirects.some(({ operator, target }) => operator !== '<' && isGuarded(targetOf(target, fact.folder)));
	if (
		fact.kind !== 'call' ||
		!/(^|\.)(open|write_text|write_bytes|writeFileSync|writeFile|appendFileSync|appendFile)$/.test(fact.path)
	)
		return false;
	const isRead =
		/(^|\.)open$/.test(fact.path) &&
		!(fact.args[1] ?? []).some((mode) => mode.kind === 'text' && /[wax+]/.test(mode.text));
	return (
		!isRead &&
		(fact.args[0] ?? []).some(
			(value) => (value.kind === 'text' || value.kind === 'path') && isGuarded(targetOf(value.text, '/work')),
		)
	);
}

const guards =
	/^(auditd|audit-rules|firewalld|ufw|nftables|iptables|ip6tables|ebtables|apparmor|selinux.*|fail2ban|rsyslog|syslog|syslog-ng|syslogd|systemd-journald.*|journald|crowdsec|falco|osqueryd|wazuh.*|ossec.*|clamav.*|sshguard|secure-code.*|windefend|mpssvc|eventlog|sense|wscsvc)(@.*)?(\.(service|socket|target))?$/i;
const isGuard = (word: string): boolean => guards.test(word);

/** Stopping what watches, by whatever manages services. */
function stopsGuard({ name, args }: Started): boolean {
	const words = operands(args);
	const ends = (word: string | undefined): boolean =>
		/^(stop|disable|mask|kill|off|remove|delete|condrestart|reload-or-stop)$/.test(word ?? '');
	if (name === 'systemctl' || name === 'initctl') return ends(words[0]) && words.slice(1).some(isGuard);
	if (/^(service|rc-service|invoke-rc\.d|chkconfig|update-rc\.d|rc-update|sc|net)$/.test(name))
		return words.some(isGuard) && words.some(ends);
	return /^(killall|killall5|pkill|skill)$/.test(name) && words.some(isGuard);
}

const switches: Readonly<Record<string, RegExp>> = {
	auditctl: /(^| )(-e ?0|-D|-d|--reset)/,
	ufw: /(^| )(disable|reset|default allow)/,
	iptables: /(^| )(-F|--flush|-X|--delete-chain|-P \S+ ACCEPT|--policy \S+ ACCEPT)/,
	ip6tables: /(^| )(-F|--flush|-X|--delete-chain|-P \S+ ACCEPT|--policy \S+ ACCEPT)/,
	'iptables-restore': /./,
	nft: /(^| )(flush|(delete|destroy) (table|chain|ruleset))( |$)/,
	'firewall-cmd': /--(panic-off|set-default-zone=trusted|remove-|zone=trusted|set-target=ACCEPT)/,
	ipset: /^(destroy|flush|-X|-F)/,
	setenforce: /^(0|permissive)$/i,
	'aa-disable': /./,
	'aa-complain': /./,
	'aa-teardown': /^/,
	apparmor_parser: /(^| )(-R|--remove)/,
	setsebool: /./,
	journalctl: /--(vacuum|rotate|flush|relinquish)/,
	logrotate: /(^| )(-f|--force)/,
	pfctl: /(^| )-(d|F)/,
	spctl: /--(master-disable|global-disable)/,
	csrutil: /disable/,
};

const turnsOff = ({ name, args }: Started): boolean =>
	!asksForHelp(args) && Object.hasOwn(switches, name) && (switches[name] as RegExp).test(args.join(' '));

/** Programs whose words are text and no files. */
const talkers = /^(echo|printf|true|false|:|test|\[|man|which|type|whatis|apropos|export|expr)$/;

function touchesOwn({ name, args, fact }: Started, { own }: KillContext): boolean {
	const words = talkers.test(name) ? [] : args.slice(/^(grep|egrep|fgrep|rg|awk|sed|jq)$/.test(name) ? 1 : 0);
	const values = words.map((word) => word.replace(/^(--?[\w-]+|\w+)=/, '').replace(/^-[A-Za-z](?=\/)/, ''));
	const files = [...values, ...fact.redirects.map(({ target }) => target)];
	return files.some((word) => /[/~]/.test(word) && isOwn(targetOf(word, fact.folder), own));
}

export const trustRules: readonly KillRule[] = [
	{ name: 'accounts', what: 'change who may become root', command: changesAccounts },
	{ name: 'schedule', what: 'change what runs by itself', command: changesSchedule },
	{
		name: 'trusted-file',
		what: 'change sudoers, PAM, sshd, accounts, cron, units, authorized keys, kernel settings or records of the system',
		command: writesGuarded,
		fact: writesGuardedFile,
	},
	{
		name: 'defences',
		what: 'switch off audit, firewall or protection',
		command: (started) => stopsGuard(started) || turnsOff(started),
	},
	{ name: 'own-state', what: 'touch the state, keys or records of this agent', command: touchesOwn },
];
