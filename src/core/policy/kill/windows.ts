/** The kill list of Windows: what PowerShell and cmd must not be asked for. Letters count the same in both cases. Pure. */
import { type WindowsCommand, windowsCommands } from '../powershell/words.ts';
import type { Finding } from './kill-list.ts';

interface WindowsRule {
	readonly rule: string;
	readonly what: string;
	readonly test: (command: WindowsCommand) => boolean;
}

const has = ({ args }: WindowsCommand, pattern: RegExp): boolean => args.some((arg) => pattern.test(arg));
const line = ({ args }: WindowsCommand): string => args.join(' ');

/** A drive, the system, or all homes. */
const root =
	/^["']?(([a-z]:)?[\\/]+(windows|winnt|users|program files( \(x86\))?|programdata|system volume information|boot|recovery)?[\\/]?\*?(\.\*)?|[a-z]:\\?\*?(\.\*)?|\$env:(systemdrive|systemroot|windir|userprofile|programfiles|homedrive)[\\/]?\*?|%(systemdrive|systemroot|windir|userprofile)%[\\/]?\*?|\$home[\\/]?\*?|~[\\/]?\*?)["']?$/i;

const rules: readonly WindowsRule[] = [
	{
		rule: 'disk',
		what: 'format, wipe or partition disks',
		test: (command) =>
			(command.name === 'format' && has(command, /^[a-z]:/i)) ||
			(/^(diskpart|format-volume|clear-disk|initialize-disk|remove-partition|reset-physicaldisk|cipher)$/.test(
				command.name,
			) &&
				(command.name !== 'cipher' || has(command, /^\/w/i))),
	},
	{
		rule: 'boot',
		what: 'change how the machine starts',
		test: (command) =>
			(command.name === 'bcdedit' && !/^(\/enum.*|\/v|\/\?)?$/i.test(line(command))) ||
			command.name === 'bootrec' ||
			(command.name === 'reagentc' && has(command, /disable/i)),
	},
	{
		rule: 'shadow-copies',
		what: 'delete backups of the system',
		test: (command) =>
			(command.name === 'vssadmin' && has(command, /^(delete|resize)$/i)) ||
			(command.name === 'wmic' && /shadowcopy.*delete/i.test(line(command))) ||
			(command.name === 'wbadmin' && has(command, /^delete$/i)) ||
			(/^(get-wmiobject|gwmi|get-ciminstance)$/.test(command.name) &&
				/shadowcopy/i.test(line(command)) &&
				/delete|remove/i.test(line(command))),
	},
	{
		rule: 'power',
		what: 'shut down, restart or suspend the machine',
		test: (command) =>
			/^(stop-computer|restart-computer)$/.test(command.name) ||
			(command.name === 'shutdown' && has(command, /^[/-](s|r|p|h|g|sg|hybrid|fw)$/i)),
	},
	{
		rule: 'delete-tree',
		what: 'delete, move away or open to all the root, a system tree or a home folder',
		test: (command) =>
			(command.name === 'remove-item' &&
				has(command, root) &&
				(has(command, /^(-r\w*|\/s)$/i) || has(command, /\*/))) ||
			(/^(takeown|icacls)$/.test(command.name) && has(command, root) && has(command, /^\/(r|t)$/i)),
	},
	{
		rule: 'defences',
		what: 'switch off audit, firewall or protection',
		test: (command) =>
			(/^(set-mppreference|add-mppreference)$/.test(command.name) &&
				has(command, /^-(disable|exclusion|mapsreporting|submitsamples|enablecontrolledfolder|puaprotection)/i)) ||
			(/^(uninstall-windowsfeature|disable-windowsoptionalfeature)$/.test(command.name) && has(command, /defender/i)) ||
			(/^(stop-service|set-service|stop-process|taskkill|set-content|net|sc|reg)$/.test(command.name) &&
				has(
					command,
					/(windefend|mpssvc|eventlog|sense|wscsvc|msmpeng|disableantispyware|disablerealtimemonitoring|secure-code)/i,
				) &&
				!has(command, /^(query|qc|start)$/i)) ||
			(/^(set-netfirewallprofile|disable-netfirewallrule)$/.test(command.name) &&
				(command.name.startsWith('disable') || /-enabled:? ?\$?false/i.test(line(command)))) ||
			(command.name === 'netsh' && /(advfirewall|firewall).*(state off|opmode.*disable|reset)/i.test(line(command))) ||
			(command.name === 'wevtutil' && has(command, /^(cl|clear-log|sl|set-log)$/i)) ||
			/^(clear-eventlog|remove-eventlog|limit-eventlog)$/.test(command.name) ||
			(command.name === 'auditpol' && has(command, /^\/(clear|remove|set)/i)) ||
			(command.name === 'fsutil' && /usn.*deletejournal/i.test(line(command))),
	},
	{
		rule: 'schedule',
		what: 'change what runs by itself',
		test: (command) =>
			(command.name === 'schtasks' && has(command, /^\/(create|change|delete)$/i)) ||
			/^(register-scheduledtask|register-scheduledjob|new-service|set-scheduledtask|unregister-scheduledtask)$/.test(
				command.name,
			) ||
			(command.name === 'sc' && has(command, /^(create|delete|config)$/i)) ||
			(/^(reg|new-itemproperty|set-itemproperty)$/.test(command.name) && /currentversion\\run/i.test(line(command))),
	},
	{
		rule: 'accounts',
		what: 'change who may become root',
		test: (command) =>
			(/^(net|net1)$/.test(command.name) && /(localgroup|group) +"?administrators"?.*\/add/i.test(line(command))) ||
			(command.name === 'add-localgroupmember' && has(command, /administrators/i)),
	},
];

const runningText = /\[scriptblock\]::create|\.invoke(script)?\(/i;
const loadsText =
	/downloadstring|downloaddata|downloadfile|invoke-webrequest|invoke-restmethod|net\.webclient|net\.http|httpwebrequest|start-bitstransfer|\b(iwr|irm|curl|wget)\b|xmlhttp|frombase64string|bitsadmin/i;
const loader = /^(mshta|regsvr32|rundll32|certutil|bitsadmin|msiexec|wscript|cscript)$/;

const runsText = (script: string, commands: readonly WindowsCommand[]): boolean =>
	commands.some(({ name }) => /^(invoke-expression|invoke-command|icm)$/.test(name)) ||
	runningText.test(script.replaceAll(/'[^']*'|"[^"]*"/g, ''));

/** What a command line runs that it has just loaded. */
const runsDownload = (script: string, commands: readonly WindowsCommand[]): boolean =>
	(runsText(script, commands) && loadsText.test(script)) ||
	commands.some((command) => loader.test(command.name) && has(command, /https?:|javascript:|^\\\\/i));

const deepest = 3;

/** @param script PowerShell, or a line of cmd */
export function windowsFindings(script: string, depth = 0): Finding[] {
	// A backtick splits no word, and a caret is nothing to cmd.
	const commands = windowsCommands(script);
	const plain = script.replaceAll(/[`^]/g, '');
	const found = commands.flatMap((command) => {
		const shown = [command.name, ...command.args].join(' ');
		return rules.filter(({ test }) => test(command)).map(({ rule, what }) => ({ rule, what, command: shown }));
	});
	const isDownload = runsDownload(plain, commands);
	return [
		...found,
		...(isDownload
			? [{ rule: 'download-and-run', what: 'run what was just downloaded', command: plain.slice(0, 200) }]
			: []),
		...(depth < deepest ? commands.flatMap((command) => insideOf(command, depth)) : []),
	];
}

/** A script in the words of another shell. */
function insideOf({ name, args }: WindowsCommand, depth: number): Finding[] {
	if (name === 'cmd') {
		const at = args.findIndex((arg) => /^\/[ckr]/i.test(arg));
		return at < 0
			? []
			: windowsFindings([(args[at] ?? '').slice(2), ...args.slice(at + 1)].join(' ').trim(), depth + 1);
	}
	if (name !== 'powershell' && name !== 'pwsh') return [];
	const at = args.findIndex((arg) => /^-(c|command|co\w*)$/i.test(arg));
	if (at >= 0) return windowsFindings(args.slice(at + 1).join(' '), depth + 1);
	const encoded = args.findIndex((arg) => /^-e[a-z]*$/i.test(arg) && !/^-ex/i.test(arg));
	if (encoded >= 0) return hiddenFindings(args[encoded + 1] ?? '', depth);
	return [];
}

/** "-EncodedCommand" hides what it runs; what it says is read, and what cannot be read is not run. */
function hiddenFindings(text: string, depth: number): Finding[] {
	const decoded = /^[A-Za-z0-9+/]{4,}={0,2}$/.test(text) ? Buffer.from(text, 'base64').toString('utf16le') : '';
	if (!/^[\x20-\x7e\s]+$/.test(decoded))
		return [{ rule: 'hidden-command', what: 'hide what a command does', command: text.slice(0, 80) }];
	return windowsFindings(decoded, depth + 1);
}
