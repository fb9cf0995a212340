/** Programs that read text and print text. Flags that write files or start programs are left out. Pure. */
import type { ProgramInput } from '../../schema.ts';

const grepFlags = `-# -a -A=integer -b -B=integer -c -C=integer -d=(read|recurse|skip) -D=(read|skip) -e=text -E -f=path -F -G -h -H -i -I -l -L -m=integer
	-n -o -P -q -r -R -s -T -u -U -v -V -w -x -y -z -Z --after-context=integer --before-context=integer --context=integer --text
	--binary-files=(binary|text|without-match) --byte-offset --color[=(auto|always|never)] --colour[=(auto|always|never)] --count
	--devices=(read|skip) --directories=(read|recurse|skip) --exclude=text --exclude-dir=text --extended-regexp --file=path
	--files-with-matches --files-without-match --fixed-strings --basic-regexp --include=text --ignore-case --no-ignore-case
	--initial-tab --invert-match --label=text --line-buffered --line-number --line-regexp --max-count=integer --no-filename --no-messages
	--null --null-data --only-matching --perl-regexp --quiet --silent --recursive --dereference-recursive --regexp=text --unix-byte-offsets
	--with-filename --word-regexp --help --version`;

const withoutPattern = {
	'-e': 'path*',
	'-f': 'path*',
	'--regexp': 'path*',
	'--file': 'path*',
	'--help': '',
	'--version': '',
	'-V': '',
};

const grep = (name: string): ProgramInput => ({
	name,
	isHarmlessWithAnyFlag: true,
	flags: grepFlags,
	positionals: 'text path*',
	positionalsWith: withoutPattern,
	allows: [`${name} -rn "a b" /tmp`, `${name} -e x -e y /tmp/f`, `${name} -5 -- -x /tmp/f`],
	denies: [`${name} --reg x`],
});

export const textPrograms: readonly ProgramInput[] = [
	...['grep', 'egrep', 'fgrep'].map(grep),
	{
		name: 'rg',
		isExecCapable: true,
		flags: `-a -A=integer -B=integer -c -C=integer -e=text -F -g=text -h -H -i -I -l -L -m=integer -M=integer -n -N -o -p -P -q -s -S -t=name -T=name
			-u -U -v -V -w -x --after-context=integer --before-context=integer --context=integer --color=(never|auto|always|ansi) --column --count
			--count-matches --crlf --files --files-with-matches --files-without-match --fixed-strings --glob=text --heading --no-heading --hidden
			--iglob=text --ignore-case --invert-match --json --line-number --no-line-number --max-columns=integer --max-count=integer
			--max-depth=integer --multiline --no-config --no-filename --no-ignore --no-messages --only-matching --pcre2 --pretty --quiet
			--regexp=text --replace=text --smart-case --sort=name --stats --text --trim --type=name --type-list --type-not=name
			--unrestricted --vimgrep --with-filename --word-regexp --line-regexp --help --version`,
		positionals: 'text path*',
		positionalsWith: {
			'-e': 'path*',
			'--regexp': 'path*',
			'--files': 'path*',
			'--type-list': '',
			'--help': '',
			'--version': '',
			'-V': '',
		},
		denies: ['rg --pre sh x', 'rg --pre=/tmp/x a', 'rg -z x', 'rg --hostname-bin=id x', 'rg -f /tmp/p'],
	},
	{
		name: 'wc',
		isHarmlessWithAnyFlag: true,
		flags:
			'-c -m -l -L -w --bytes --chars --lines --max-line-length --words --total=(auto|always|only|never) --help --version',
		positionals: 'path*',
	},
	{
		name: 'sort',
		isExecCapable: true,
		flags: `-b -c -C -d -f -g -h -i -k=text -M -m -n -r -R -s -S=text -t=text -u -V -z --ignore-leading-blanks --dictionary-order --ignore-case
			--general-numeric-sort --ignore-nonprinting --month-sort --human-numeric-sort --numeric-sort --random-sort --reverse
			--sort=(general-numeric|human-numeric|month|numeric|random|version) --version-sort --check[=(quiet|silent|diagnose-first)]
			--key=text --merge --stable --buffer-size=text --field-separator=text --unique --zero-terminated --parallel=integer --debug --help --version`,
		positionals: 'path*',
		allows: ['sort -t: -k3,3n /tmp/x', 'sort -rn'],
		denies: [
			'sort -o /tmp/x /tmp/y',
			'sort --compress-program=sh /tmp/y',
			'sort --comp=sh x',
			'sort -T /etc x',
			'sort --files0-from=/etc/shadow',
		],
	},
	{
		name: 'uniq',
		flags: `-c -d -D -f=integer -i -s=integer -u -w=integer -z --count --repeated --all-repeated[=(none|prepend|separate)] --skip-fields=integer
			--group[=(separate|prepend|append|both)] --ignore-case --skip-chars=integer --unique --zero-terminated --check-chars=integer`,
		positionals: 'path?',
		denies: ['uniq /tmp/in /tmp/out'],
	},
	{
		name: 'cut',
		isHarmlessWithAnyFlag: true,
		flags: `-b=text -c=text -d=text -f=text -n -s -z --bytes=text --characters=text --delimiter=text --fields=text --complement --only-delimited
			--output-delimiter=text --zero-terminated --help --version`,
		positionals: 'path*',
	},
	{
		name: 'tr',
		isHarmlessWithAnyFlag: true,
		flags: '-c -C -d -s -t --complement --delete --squeeze-repeats --truncate-set1 --help --version',
		positionals: 'text? text?',
	},
	{
		name: 'column',
		isHarmlessWithAnyFlag: true,
		flags: `-t -x -e -n=text -s=text -o=text -c=integer -N=text -H=text -R=text -T=text -W=text -l=integer -J --table --separator=text
			--output-separator=text --output-width=integer --table-columns=text --table-right=text --table-noheadings --json --fillrows`,
		positionals: 'path*',
	},
	{
		name: 'comm',
		isHarmlessWithAnyFlag: true,
		flags: '-1 -2 -3 -z --check-order --nocheck-order --total --output-delimiter=text',
		positionals: 'path path',
	},
	{
		name: 'join',
		flags:
			'-a=(1|2) -e=text -i -j=integer -o=text -t=text -v=(1|2) -1=integer -2=integer -z --header --ignore-case --check-order --nocheck-order',
		positionals: 'path path',
	},
	{
		name: 'paste',
		isHarmlessWithAnyFlag: true,
		flags: '-d=text -s -z --delimiters=text --serial --zero-terminated',
		positionals: 'path*',
	},
	{
		name: 'nl',
		isHarmlessWithAnyFlag: true,
		flags: '-b=text -d=text -f=text -h=text -i=integer -l=integer -n=(ln|rn|rz) -p -s=text -v=integer -w=integer',
		positionals: 'path*',
	},
	{
		name: 'fold',
		isHarmlessWithAnyFlag: true,
		flags: '-b -s -w=integer --bytes --spaces --width=integer',
		positionals: 'path*',
	},
	{
		name: 'fmt',
		isHarmlessWithAnyFlag: true,
		flags: '-c -s -t -u -w=integer -p=text --width=integer',
		positionals: 'path*',
	},
	{ name: 'rev', isHarmlessWithAnyFlag: true, flags: '', positionals: 'path*' },
	{ name: 'expand', isHarmlessWithAnyFlag: true, flags: '-i -t=text --initial --tabs=text', positionals: 'path*' },
	{
		name: 'unexpand',
		isHarmlessWithAnyFlag: true,
		flags: '-a -t=text --all --first-only --tabs=text',
		positionals: 'path*',
	},
	{
		name: 'od',
		isHarmlessWithAnyFlag: true,
		flags: `-A=(d|o|x|n) -a -b -c -d -f -i -l -o -s -x -v -j=size -N=size -t=text -w=integer -S=size --address-radix=(d|o|x|n)
			--skip-bytes=size --read-bytes=size --format=text --output-duplicates --width[=integer]`,
		positionals: 'path*',
	},
	{ name: 'hexdump', flags: '-b -c -C -d -o -x -v -e=text -n=size -s=size', positionals: 'path*' },
	{
		name: 'xxd',
		flags: '-a -b -c=integer -C -d -e -E -g=integer -i -l=size -p -r -s=text -u',
		positionals: 'path?',
		denies: ['xxd /tmp/a /tmp/b'],
	},
	{
		name: 'strings',
		// "@file" stands for the words in that file.
		refusedStart: '@',
		flags: '-a -d -f -n=integer -o -t=(o|d|x) -e=(s|S|b|l|B|L) -w --all --bytes=integer',
		positionals: 'path*',
		allows: ['strings -n 8 /tmp/x', 'strings ./@x'],
		denies: ['strings @/etc/shadow', 'strings -- @x', 'strings *'],
	},
	{
		name: 'base64',
		isHarmlessWithAnyFlag: true,
		flags: '-d -i -w=integer --decode --ignore-garbage --wrap=integer',
		positionals: 'path?',
	},
	{
		name: 'base32',
		isHarmlessWithAnyFlag: true,
		flags: '-d -i -w=integer --decode --ignore-garbage --wrap=integer',
		positionals: 'path?',
	},
	{
		name: 'iconv',
		flags: '-f=name -t=name -c -s -l --from-code=name --to-code=name --list --silent',
		positionals: 'path*',
		denies: ['iconv -o /tmp/x'],
	},
	{
		name: 'jq',
		flags: `-a -c -C -e -j -M -n -r -R -s -S --arg=text,text --argjson=text,text --slurpfile=text,path --rawfile=text,path --ascii-output --color-output
			--compact-output --exit-status --indent=integer --join-output --monochrome-output --null-input --raw-input --raw-output
			--raw-output0 --seq --slurp --sort-keys --stream --stream-errors --tab --unbuffered --help --version -V`,
		positionals: 'jq path*',
		positionalsWith: { '--version': '', '-V': '', '--help': '' },
		allows: ["jq -r '.a[] | select(.b > 1)' /tmp/x.json"],
		denies: ['jq -L /tmp . x', 'jq -f /tmp/prog x', `jq 'import "a" as $a; .' x`],
	},
	{
		name: 'awk',
		isExecCapable: true,
		flags: '-F=text -v=/[A-Za-z_][A-Za-z0-9_]*=[^\\\\]*/',
		positionals: 'awk path*',
		allows: [`awk '{print $1}' /tmp/x`, `awk -F: -v min=3 '$3 > min {print $1, NR}' /tmp/x`],
		denies: [
			`awk 'BEGIN{system("id")}'`,
			`awk '{print > "/tmp/x"}'`,
			`awk '{print | "sh"}'`,
			`awk 'BEGIN{"id"|getline x}'`,
			'awk -f /tmp/x',
		],
	},
	{
		name: 'sed',
		isExecCapable: true,
		flags:
			'-n -e=sed -E -r -s -u -z -l=integer --quiet --silent --expression=sed --regexp-extended --separate --unbuffered --null-data --sandbox --debug --posix',
		positionals: 'sed path*',
		positionalsWith: { '-e': 'path*', '--expression': 'path*' },
		allows: [`sed -n '1,5p' /tmp/x`, `sed 's/a/b/g; s|x|y|' /tmp/x`, `sed -e '/x/d' -e '$!N' /tmp/x`],
		denies: [
			`sed -i s/a/b/ x`,
			`sed 's/a/b/e' x`,
			`sed 's/a/id/w /tmp/x' x`,
			`sed '1e id' x`,
			`sed 'w /tmp/x' x`,
			`sed 'r /etc/shadow' x`,
			'sed -f x y',
		],
	},
	{
		name: 'shuf',
		flags:
			'-e -i=/\\d+-\\d+/ -n=integer -r -z --echo --input-range=/\\d+-\\d+/ --head-count=integer --repeat --zero-terminated',
		positionals: 'path?',
		positionalsWith: { '-e': 'text*', '--echo': 'text*', '-i': '', '--input-range': '' },
		denies: ['shuf -o /tmp/x'],
	},
	{ name: 'tsort', isHarmlessWithAnyFlag: true, positionals: 'path?' },
	{ name: 'look', flags: '-a -d -f -t=text', positionals: 'text path?' },
];
