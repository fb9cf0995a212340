/** Programs and parts of the shell that compute, print or wait, and those that start a command which is judged by itself. Pure. */
import type { ProgramInput } from '../../schema.ts';

const builtins: readonly ProgramInput[] = [
	{ name: ':', isBuiltin: true, readsNoFlags: true, positionals: 'text*', isHarmlessWithAnyFlag: true },
	{ name: 'cd', isBuiltin: true, flags: '-L -P', positionals: 'path?', denies: ['cd /etc/ssl/private'] },
	{ name: 'exit', isBuiltin: true, positionals: 'integer?' },
	{ name: 'return', isBuiltin: true, positionals: 'integer?' },
	{ name: 'break', isBuiltin: true, positionals: 'integer?' },
	{ name: 'continue', isBuiltin: true, positionals: 'integer?' },
	{ name: 'shift', isBuiltin: true, positionals: 'integer?' },
	{ name: 'wait', isBuiltin: true, positionals: 'integer*' },
	{ name: 'jobs', isBuiltin: true, flags: '-l -p -r -s' },
	{ name: 'times', isBuiltin: true },
	{ name: 'umask', isBuiltin: true, flags: '-S -p', positionals: '/[0-7]{1,4}/?' },
	{ name: 'ulimit', isBuiltin: true, flags: '-a -H -S' },
	{ name: 'type', isBuiltin: true, flags: '-a -t -p -P', positionals: 'name+' },
	{
		name: 'read',
		isBuiltin: true,
		flags: '-r -s -d=text -n=integer -N=integer -t=number -p=text',
		positionals: '/[a-z_][a-z0-9_]*/*',
	},
	{ name: 'export', isBuiltin: true, flags: '-p', positionals: 'assignment*' },
	/** Only the ways that ignore or reset signals: an action would be a script of its own. */
	{
		name: 'trap',
		isBuiltin: true,
		flags: '-l -p',
		positionals: '(|-) /(SIG)?(HUP|INT|QUIT|TERM|PIPE|USR1|USR2|ALRM)/+',
		positionalsWith: { '-l': '', '-p': '' },
		allows: ["trap '' TERM INT"],
		denies: ["trap 'id' EXIT", 'trap id DEBUG', "trap '' EXIT"],
	},
	{
		name: 'command',
		isBuiltin: true,
		flags: '-v -V',
		positionals: 'command',
		positionalsWith: { '-v': 'name+', '-V': 'name+' },
		denies: ['command -p ls'],
	},
	/** Ways of running that make a script stop early. */
	{ name: 'set', isBuiltin: true, flags: '-e -u -x -o=(pipefail|errexit|nounset|noclobber)' },
];

/** All forms but "-v" and "-R", which evaluate their word. A file is only asked about. */
const testFlags = `-# -a -b=path -c=path -d=path -e=path -f=path -g=path -h=path -k=path -n=text -o -p=path -r=path -s=path -t=integer -u=path -w=path -x=path
	-z=text -G=path -L=path -N=path -O=path -S=path -eq=integer -ne=integer -lt=integer -le=integer -gt=integer -ge=integer -nt=path -ot=path -ef=path`;

const plain: readonly ProgramInput[] = [
	{
		name: 'echo',
		isHarmlessWithAnyFlag: true,
		readsNoFlags: true,
		positionals: 'text*',
		allows: ['echo -n hello', 'echo "rm -rf /"', 'echo --'],
	},
	{
		name: 'printf',
		flags: '',
		positionals: 'text+',
		stopsAtPositional: true,
		allows: [`printf '%s\\n' -a b`],
		denies: ["printf -v 'a[$(id)]' x"],
	},
	{ name: 'true', readsNoFlags: true, positionals: 'text*', isHarmlessWithAnyFlag: true },
	{ name: 'false', readsNoFlags: true, positionals: 'text*', isHarmlessWithAnyFlag: true },
	{ name: 'yes', positionals: 'text*' },
	{ name: 'sleep', positionals: 'duration+' },
	{
		name: 'seq',
		isHarmlessWithAnyFlag: true,
		flags: '-# -w -s=text -f=text --equal-width --separator=text --format=text',
		positionals: 'number number? number?',
		allows: ['seq 1 20000', 'seq -w 1 10', 'seq 5', 'seq 10 -1 1'],
	},
	{ name: 'test', flagStyle: 'words', flags: testFlags, positionals: 'text*', denies: ["test -v 'a[$(id)]'"] },
	{ name: '[', flagStyle: 'words', flags: testFlags, positionals: 'text* (])', denies: ["[ -v 'a[$(id)]' ]"] },
	{
		name: 'expr',
		readsNoFlags: true,
		isHarmlessWithAnyFlag: true,
		positionals: 'text+',
	},
	{ name: 'factor', positionals: 'integer*' },
	{
		name: 'numfmt',
		flags:
			'-d=text --from=(auto|si|iec|iec-i|none) --to=(auto|si|iec|iec-i|none) --field=text --format=text --padding=integer --suffix=text --header[=integer] --round=(up|down|from-zero|towards-zero|nearest)',
		positionals: 'text*',
	},
	{ name: 'bc', flags: '-l -q -s --mathlib --quiet --standard', positionals: '' },
	{ name: 'cal', flags: '-1 -3 -y -m -s -n=integer', positionals: 'text? text? text?' },
	{ name: 'pwd', flags: '-L -P' },
	{ name: 'which', flags: '-a -s', positionals: 'name+' },
	{ name: 'whereis', flags: '-b -m -s -u -l', positionals: 'name+' },
	{ name: 'getconf', flags: '-a', positionals: 'name? path?' },
	{ name: 'mktemp', flags: '-d -u -q', positionals: '', denies: ['mktemp /etc/x.XXXX'] },
	{
		name: 'tee',
		flags: '-a -i --append --ignore-interrupts',
		positionals: 'write*',
		denies: ['tee /etc/cron.d/x', 'tee -a /root/.ssh/authorized_keys'],
	},
];

const starters: readonly ProgramInput[] = [
	{
		name: 'env',
		isExecCapable: true,
		// Without -i and -u: some variables keep programs from doing more than they are told.
		flags: '-0 --null -v --debug',
		stopsAtPositional: true,
		positionals: 'assignment* command?',
		allows: ['env LANG=C.UTF-8 TZ=Europe/Berlin date', 'env'],
		denies: [
			'env -i ls',
			'env - ls',
			'env -u GIT_CONFIG_COUNT git status',
			'env LC_ALL=/tmp/x ls',
			'env TZ=:/etc/shadow date',
			'env -S "ls"',
		],
	},
	{
		name: 'timeout',
		isExecCapable: true,
		stopsAtPositional: true,
		flags: '-s=name -k=duration -v --signal=name --kill-after=duration --foreground --preserve-status --verbose',
		positionals: 'duration command',
		denies: ['timeout 5 dd x', 'timeout 5 sh -c "dd x"'],
	},
	{
		name: 'nice',
		isExecCapable: true,
		stopsAtPositional: true,
		flags: '-# -n=integer --adjustment=integer',
		positionals: 'command?',
	},
	{
		name: 'ionice',
		isExecCapable: true,
		stopsAtPositional: true,
		flags: '-c=integer -n=integer -t',
		positionals: 'command?',
	},
	{ name: 'nohup', isExecCapable: true, stopsAtPositional: true, flags: '', positionals: 'command' },
	{
		name: 'setsid',
		isExecCapable: true,
		stopsAtPositional: true,
		flags: '-w -f -c --wait --fork --ctty',
		positionals: 'command',
	},
	{
		name: 'stdbuf',
		isExecCapable: true,
		stopsAtPositional: true,
		flags: '-i=name -o=name -e=name --input=name --output=name --error=name',
		positionals: 'command',
	},
	{
		name: 'time',
		isExecCapable: true,
		stopsAtPositional: true,
		flags: '-p -v --portability --verbose',
		positionals: 'command',
		denies: ['time -o /tmp/x ls'],
	},
	{
		name: 'xargs',
		isExecCapable: true,
		stopsAtPositional: true,
		flags:
			'-0 -n=integer -L=integer -P=integer -d=text -r -t -x --null --max-args=integer --max-lines=integer --max-procs=integer --delimiter=text --no-run-if-empty --verbose',
		positionals: 'more-command?',
		allows: ['xargs -n1 echo', 'xargs'],
		denies: ['xargs dd', 'xargs sh -c', 'xargs -I{} sh -c {}', 'xargs cat', 'xargs -a /etc/shadow echo'],
	},
	...['bash', 'sh', 'dash'].map(
		(name): ProgramInput => ({
			name,
			isExecCapable: true,
			stopsAtPositional: true,
			needsFlag: ['-c', '--version'],
			flags: '-c -e -u -x --norc --noprofile --posix --version',
			positionals: '',
			positionalsWith: { '-c': 'script text*' },
			allows: [`${name} -c 'echo hi; exit 3'`],
			denies: [
				name,
				`${name} -c 'dd x'`,
				`${name} /tmp/x.sh`,
				`${name} -c 'eval "$1"' x y`,
				`${name} -i`,
				`${name} -s`,
				`${name} -ctrue 'dd x'`,
				`${name} -c -- 'dd x'`,
			],
		}),
	),
	...['python3', 'python'].map(
		(name): ProgramInput => ({
			name,
			isExecCapable: true,
			needsFlag: ['-c', '-V', '-VV', '--version'],
			// Without -E, which sets aside the variables that keep it from loading what a job wrote.
			flags: '-c=python -VV -B -I -s -S -u -V --version',
			positionals: '',
			stopsAtPositional: true,
			positionalsWith: { '-c': 'text*', '--version': '', '-V': '' },
			allows: [`${name} -c 'print(sum(range(10)))'`, `${name} --version`],
			denies: [
				name,
				`${name} -c 'import os; os.system("id")'`,
				`${name} -c 'print(open("/etc/shadow").read())'`,
				`${name} -m http.server`,
				`${name} /tmp/x.py`,
				`${name} -c "__import__('os').system('id')"`,
			],
		}),
	),
	{
		name: 'node',
		isExecCapable: true,
		needsFlag: ['-e', '-p', '-v', '--version', '--eval', '--print'],
		flags: '-e:javascript -p:javascript -v --version --eval=javascript --print=javascript',
		positionals: '',
		positionalsWith: { '-e': 'text*', '-p': 'text*' },
		allows: [`node -e 'console.log(1 + 1)'`, 'node --version'],
		denies: [
			'node',
			`node -e 'require("child_process").execSync("id")'`,
			'node /tmp/x.js',
			'node -r /tmp/x.js',
			`node -pe 'process.exit(1)'`,
			'node -p -e 1',
		],
	},
];

export const shellPrograms: readonly ProgramInput[] = [...builtins, ...plain, ...starters];
