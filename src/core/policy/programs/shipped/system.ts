/** Programs that tell how the machine is. Flags that change it, page, or go on for ever without printing are left out. Pure. */
import type { ProgramInput } from '../../schema.ts';

const pager = '--no-pager --help --version';

/** For ps. Any column but "environ", which shows the environment of other programs. */
const column = '([a-df-zA-Z%_][A-Za-z0-9_%]*|e[a-mo-z][a-z0-9_]*)(:[0-9]+)?(=[^,\\x20]*)?';
const columns = `/${column}([,\\x20]+${column})*/`;
/** No letter "e" that ps, where there is no such user, reads as the option that shows the environment. */
const user = '/[^e]*|root|[0-9,]+|.*[bdiyzBDE0-9_.-].*/';

export const systemPrograms: readonly ProgramInput[] = [
	{
		name: 'free',
		flags:
			'-b -k -m -g -h -l -t -w -s=number -c=integer -L -v --bytes --kibi --mebi --gibi --tebi --human --si --lohi --line --total --wide --seconds=number --count=integer --help --version',
	},
	{ name: 'uptime', flags: '-p -s -V --pretty --since --help --version' },
	{
		name: 'uname',
		flags:
			'-a -s -n -r -v -m -p -i -o --all --kernel-name --nodename --kernel-release --kernel-version --machine --processor --hardware-platform --operating-system --help --version',
	},
	{ name: 'arch', flags: '--help --version' },
	{
		name: 'hostname',
		flags:
			'-a -A -d -f -i -I -s -y --alias --all-fqdns --domain --fqdn --long --ip-address --all-ip-addresses --short --help --version',
		denies: ['hostname evil', 'hostname -F /tmp/x', 'hostname -b x'],
	},
	{
		name: 'hostnamectl',
		flags: `--static --pretty --transient --json=(short|pretty|off) -j ${pager}`,
		subcommands: { status: {} },
		denies: ['hostnamectl set-hostname x', 'hostnamectl hostname x', 'hostnamectl -H x status'],
	},
	{
		name: 'timedatectl',
		flags: `-a -p=name --all --property=name ${pager}`,
		subcommands: {
			status: {},
			show: { flags: '-a -p=name --all --property=name' },
			'list-timezones': {},
			'timesync-status': {},
		},
		denies: ['timedatectl set-time 0'],
	},
	{ name: 'localectl', flags: pager, subcommands: { status: {}, 'list-locales': {} } },
	{
		name: 'loginctl',
		flags: `-a -l --full ${pager}`,
		subcommands: {
			'list-sessions': {},
			'list-users': {},
			'list-seats': {},
			'session-status': { positionals: 'name*' },
			'user-status': { positionals: 'name*' },
		},
		denies: ['loginctl kill-session 1'],
	},
	{
		name: 'id',
		flags: '-a -g -G -n -r -u -z -Z --group --groups --name --real --user --zero --context --help --version',
		positionals: 'name*',
	},
	{ name: 'whoami', flags: '--help --version' },
	{ name: 'logname', flags: '--help --version' },
	{ name: 'groups', flags: '--help --version', positionals: 'name*' },
	{ name: 'users', flags: '--help --version' },
	{ name: 'tty', flags: '-s --silent --quiet' },
	{
		name: 'who',
		flags:
			'-a -b -d -H -l -m -p -q -r -s -t -T -u -w --all --boot --dead --heading --login --process --count --runlevel --short --time --users --help --version',
	},
	{ name: 'w', flags: '-h -s -f -i -o -u -V --no-header --short --from --help --version', positionals: 'name?' },
	{
		name: 'last',
		flags:
			'-# -a -d -F -i -n=integer -R -s=text -t=text -p=text -w -x --limit=integer --since=text --until=text --fulltimes --fullnames --system --help --version',
		positionals: 'name*',
		allows: ['last reboot', 'last -n 5'],
	},
	{ name: 'lastlog', flags: '-b=integer -t=integer -u=name' },
	{
		name: 'date',
		flags: `-d=text -I[=(date|hours|minutes|seconds|ns)] -r=path -R -u --date=text --iso-8601[=(date|hours|minutes|seconds|ns)] --reference=path --rfc-email
			--rfc-3339=(date|seconds|ns) --utc --universal --debug --help --version`,
		positionals: '/\\+[^\\x00]*/?',
		allows: ['date +%s', "date -u '+%Y-%m-%d %H:%M'", "date -d '2 days ago'"],
		denies: ['date -s 12:00', 'date --set=12:00', 'date 010112002025', 'date -f /etc/shadow'],
	},
	{
		name: 'ps',
		flags: `-A -a -c -d -e -f -F -j -l -L -M -N -w -y -Z -C=text -g=text -G=text -o=${columns} -O=${columns} -p=text -q=text -s=text -t=text -u=${user} -U=text
			--cols=integer --columns=integer --cumulative --forest --format=${columns} --Group=text --group=text --headers --info --lines=integer
			--no-headers --no-heading --pid=text --ppid=text --quick-pid=text --rows=integer --sid=text --sort=text --tty=text --user=text --User=text
			--width=integer --deselect --context --help[=name] --version`,
		// Letters without a dash, but "e", which shows the environment of other programs.
		positionals: '/[aAcfhHjlLmnrSTuvwxXZ]+|[0-9,]+/*',
		allows: [
			'ps aux',
			'ps -aux',
			'ps -ef',
			'ps -eo pid=,comm= --sort=-pcpu',
			'ps -p 1',
			'ps -fu root',
			'ps -o "pid etime:12 args"',
		],
		denies: [
			'ps auxe',
			'ps axeww',
			'ps -auxe',
			'ps -u e',
			'ps -eT --forest',
			'ps -e -U 0 -k pid',
			'ps -o pid,environ',
			'ps -o "pid environ"',
		],
	},
	{
		name: 'pgrep',
		flags:
			'-a -c -f -g=text -G=text -i -l -n -o -P=text -r=text -s=text -t=text -u=text -U=text -v -w -x -A -d=text --list-name --list-full --full --count --newest --oldest --exact --ignore-case --help --version',
		positionals: 'text?',
	},
	{ name: 'pidof', flags: '-c -q -s -x -z -S=text -d=text', positionals: 'name+' },
	{ name: 'pstree', flags: '-a -c -g -h -l -n -p -s -S -t -T -u -U -A -V -Z -H=integer', positionals: 'name?' },
	{
		name: 'vmstat',
		flags: '-a -d -D -f -m -n -s -t -w -p=text -S=(k|K|m|M) --active --disk --stats --wide --help --version',
		positionals: 'integer? integer?',
	},
	{ name: 'iostat', flags: '-c -d -h -k -m -N -p=text -s -t -x -y -z -V', positionals: 'text* ' },
	{ name: 'mpstat', flags: '-A -u -P=text -V', positionals: 'integer? integer?' },
	{
		name: 'lscpu',
		flags:
			'-a -b -c -e -J -p -x -y -V --all --online --offline --json --extended[=text] --parse[=text] --hex --physical --help --version',
	},
	{
		name: 'lsmem',
		flags:
			'-a -b -J -n -P -r -o=text -V --all --bytes --json --noheadings --pairs --raw --output=text --help --version',
	},
	{ name: 'lspci', flags: '-b -D -k -m -n -nn -t -v -vv -s=text -d=text --help --version' },
	{ name: 'lsusb', flags: '-t -v -s=text -d=text -V --tree --verbose --help --version' },
	{ name: 'lsmod', flags: '' },
	{ name: 'lsipc', flags: '-m -q -s -b -c -t --help --version' },
	{ name: 'nproc', flags: '--all --ignore=integer --help --version' },
	{
		name: 'lsblk',
		flags: `-a -b -d -D -e=text -f -i -I=text -J -l -m -M -n -N -o=text -O -p -P -r -s -S -t -T[=text] -v -x=text -z --all --bytes --nodeps --discard --exclude=text
			--fs --ascii --include=text --json --list --merge --perms --noheadings --output=text --output-all --paths --pairs --raw --inverse --scsi
			--topology --tree[=text] --sort=text --help --version`,
		positionals: '/\\/dev\\/[a-z0-9\\/_-]+/*',
	},
	{
		name: 'blkid',
		flags: '-k -o=(full|value|list|device|udev|export) -s=text -t=text',
		positionals: '/\\/dev\\/[a-z0-9\\/_-]+/*',
		denies: ['blkid -c /tmp/x', 'blkid -g'],
	},
	{
		name: 'findmnt',
		flags:
			'-a -A -b -c -C -D -e -f -i -J -k -l -m -n -o=text -O=text -P -r -R -S=text -t=name -T=path -u -U -v -y --all --json --list --df --noheadings --output=text --pairs --raw --real --target=path --types=name --help --version',
		positionals: 'path? path?',
	},
	{
		name: 'mount',
		flags: '-l -V --show-labels --version',
		denies: ['mount /dev/sda1 /mnt', 'mount -a', 'mount -o remount,rw /'],
	},
	{
		name: 'dmesg',
		flags:
			'-f=text -k -l=text -L[=(auto|always|never)] -P -r -t -T -u -x -J --facility=text --kernel --level=text --color[=(auto|always|never)] --nopager --raw --notime --ctime --userspace --decode --json --since=text --until=text --time-format=name --help --version',
		denies: ['dmesg -C', 'dmesg -c', 'dmesg -n 1', 'dmesg -H', 'dmesg -F /etc/shadow'],
	},
	{
		name: 'sysctl',
		flags: '-a -n -N -e -r=text --all --values --names --pattern=text',
		positionals: '/[A-Za-z0-9_-]+([.\\/][A-Za-z0-9_-]+)*/*',
		denies: [
			'sysctl -w kernel.x=1',
			'sysctl kernel.x=1',
			'sysctl -p /tmp/x',
			'sysctl --system',
			'sysctl kernel/../../../etc/shadow',
		],
	},
	{
		name: 'getent',
		positionals: '(passwd|group|hosts|services|protocols|networks|ahosts|ahostsv4|ahostsv6|rpc|ethers|netgroup) name*',
		denies: ['getent shadow', 'getent gshadow'],
	},
	{ name: 'locale', flags: '-a -m -c -k --all-locales --charmaps', positionals: 'name*' },
	{ name: 'printenv', flags: '-0 --null', positionals: '/[A-Za-z_][A-Za-z0-9_]*/*' },
	{ name: 'lsb_release', flags: '-a -c -d -i -r -s -v --all --codename --description --id --release --short' },
	{ name: 'ipcs', flags: '-a -b -c -l -m -p -q -s -t -u -i=integer' },
	{ name: 'sensors', flags: '-A -f -j -u', denies: ['sensors -s', 'sensors -c /tmp/x'] },
	{
		name: 'journalctl',
		isExecCapable: true,
		flags: `-# -a -b -e -f -F=name -g=text -k -l -n=integer -N -o=(short|short-full|short-iso|short-iso-precise|short-precise|short-monotonic|short-unix|verbose|export|json|json-pretty|json-sse|json-seq|cat|with-unit)
			-p=text -q -r -S=text -t=text -u=name -U=text -x --all --boot[=text] --catalog --case-sensitive[=(yes|no)] --dmesg --disk-usage --facility=text --field=name
			--fields --follow --full --grep=text --header --identifier=text --lines=integer --list-boots --list-catalog --no-full --no-hostname --no-tail
			--output=name --output-fields=text --priority=text --quiet --reverse --since=text --system --unit=name --until=text --user --user-unit=name --utc
			--verify ${pager}`,
		positionals: '/[A-Z_]+=[^\\s]*|\\+/*',
		allows: ['journalctl -u ssh -n 50 --no-pager', 'journalctl --since today -p err'],
		denies: [
			'journalctl --vacuum-time=1s',
			'journalctl --rotate',
			'journalctl --flush',
			'journalctl --cursor-file=/tmp/x',
			'journalctl --file=/etc/shadow',
			'journalctl --root=/mnt',
			'journalctl -M x',
		],
	},
	{
		name: 'systemctl',
		isExecCapable: true,
		flags: `-a -l -n=integer -o=name -p=text -P=text -q -r -t=text --all --full --lines=integer --output=name --property=text --value --quiet --recursive --type=text --state=text
			--plain --no-legend --legend=(yes|no) --failed --reverse --user --system --show-types ${pager}`,
		subcommands: Object.fromEntries(
			[
				'status',
				'show',
				'cat',
				'is-active',
				'is-enabled',
				'is-failed',
				'list-units',
				'list-unit-files',
				'list-timers',
				'list-sockets',
				'list-jobs',
				'list-dependencies',
				'list-machines',
				'get-default',
				'is-system-running',
				'show-environment',
				'help',
			].map((name) => [
				name,
				{
					flags: `-a -l -n=integer -o=name -p=text -P=text -q -r -t=text --all --full --lines=integer --output=name --property=text --value --quiet --type=text --state=text --plain --no-legend --failed --reverse --user --system ${pager}`,
					positionals: name === 'help' ? '' : '/[A-Za-z0-9@_.:*\\\\-]+/*',
				},
			]),
		),
		allows: ['systemctl status ssh', 'systemctl list-units --type=service --no-pager', 'systemctl --failed'],
		denies: [
			'systemctl stop ssh',
			'systemctl reboot',
			'systemctl -H host status',
			'systemctl edit x',
			'systemctl set-environment A=1',
			'systemctl --root=/ status',
			'systemctl daemon-reload',
		],
	},
	{ name: 'service', positionals: 'name (status)', denies: ['service ssh restart'] },
	{
		name: 'dpkg',
		isExecCapable: true,
		needsFlag: [
			'-l',
			'-L',
			'-s',
			'-S',
			'-p',
			'--list',
			'--listfiles',
			'--status',
			'--search',
			'--get-selections',
			'--print-architecture',
			'--version',
		],
		flags:
			'-l -L=name -s=name -S=text -p=name --list --listfiles=name --status=name --search=text --get-selections --print-architecture --version',
		positionals: 'text*',
		positionalsWith: { '-l': 'text*', '--list': 'text*' },
		denies: ['dpkg -i x.deb', 'dpkg --root=/ -l', 'dpkg --pre-invoke=id -l'],
	},
	{
		name: 'dpkg-query',
		flags: '-l -L -s -S -W -p -f=text -c=name --list --listfiles --status --search --show --showformat=text',
		positionals: 'text*',
	},
	{
		name: 'apt-cache',
		flags: '-n -q --no-all-versions --names-only --installed',
		subcommands: Object.fromEntries(
			['show', 'search', 'policy', 'depends', 'rdepends', 'showpkg', 'stats', 'pkgnames', 'madison'].map((name) => [
				name,
				{ flags: '-n --names-only --installed', positionals: 'text*' },
			]),
		),
		denies: ['apt-cache -o x=y show a', 'apt-cache -c /tmp/x show a'],
	},
	{
		name: 'crontab',
		needsFlag: ['-l'],
		flags: '-l',
		positionals: '',
		denies: ['crontab -r', 'crontab -e', 'crontab /tmp/x', 'crontab -'],
	},
];
