/** Programs that look at files and folders. Flags that write, follow lists of files or start programs are left out. Pure. */
import type { ProgramInput } from '../../schema.ts';

/** Without "-c", which reads the files that a file names. */
const checksum = (name: string): ProgramInput => ({
	name,
	flags: '-b -t -z --binary --text --tag --zero --help --version',
	positionals: 'path*',
	denies: [`${name} -c list`, `${name} --check list`],
});

export const filePrograms: readonly ProgramInput[] = [
	{
		name: 'ls',
		isHarmlessWithAnyFlag: true,
		flags: `-a -A -b -B -c -C -d -D -f -F -g -G -h -H -i -k -l -L -m -n -N -o -p -q -Q -r -R -s -S -t -u -U -v -x -X -Z -1
			-I=text -T=integer -w=integer --all --almost-all --author --escape --block-size=size --ignore-backups --color[=(auto|always|never)]
			--directory --dired --classify[=(auto|always|never)] --file-type --format=(across|commas|horizontal|long|single-column|verbose|vertical)
			--full-time --group-directories-first --no-group --human-readable --si --dereference-command-line --hide=text
			--hyperlink[=(auto|always|never)] --indicator-style=(none|slash|file-type|classify) --inode --ignore=text --kibibytes
			--dereference --numeric-uid-gid --literal --hide-control-chars --show-control-chars --quote-name
			--quoting-style=(literal|locale|shell|shell-always|shell-escape|shell-escape-always|c|escape) --reverse --recursive --size
			--sort=(none|size|time|version|extension|name|width) --time=(atime|access|use|ctime|status|birth|creation|mtime|modification)
			--time-style=text --tabsize=integer --width=integer --context --zero --help --version`,
		positionals: 'path*',
		allows: ['ls -la /', 'ls --color=never -lhS'],
		denies: ['ls --colo', 'ls --dir=/etc'],
	},
	{
		name: 'dir',
		isHarmlessWithAnyFlag: true,
		flags: '-a -A -l -h -R -r -t -S -1 -d -F',
		positionals: 'path*',
	},
	{
		name: 'tree',
		flags: `-a -d -l -f -x -i -p -s -h -u -g -D -F -q -N -Q -r -t -c -U -v -n -C -A -S -J -X -L=integer -P=text -I=text --du --si
			--noreport --dirsfirst --filesfirst --prune --inodes --device --charset=name --filelimit=integer --timefmt=text --gitignore
			--ignore-case --matchdirs --sort=(name|ctime|mtime|size|version) --help --version`,
		positionals: 'path*',
		denies: ['tree -o /tmp/x', 'tree --fromfile x'],
	},
	{
		name: 'cat',
		isHarmlessWithAnyFlag: true,
		flags:
			'-A -b -e -E -n -s -t -T -u -v --show-all --number-nonblank --show-ends --number --squeeze-blank --show-tabs --show-nonprinting --help --version',
		positionals: 'path*',
	},
	{
		name: 'tac',
		isHarmlessWithAnyFlag: true,
		flags: '-b -r -s=text --before --regex --separator=text',
		positionals: 'path*',
	},
	{
		name: 'head',
		isHarmlessWithAnyFlag: true,
		flags:
			'-# -n=size -c=size -q -v -z --lines=size --bytes=size --quiet --silent --verbose --zero-terminated --help --version',
		positionals: 'path*',
		allows: ['head -5 /tmp/x', 'head -n -3 /tmp/x'],
	},
	{
		name: 'tail',
		isHarmlessWithAnyFlag: true,
		flags: `-# -n=size -c=size -f -F -q -v -z -s=number --lines=size --bytes=size --follow[=(name|descriptor)] --retry --pid=integer
			--quiet --silent --verbose --sleep-interval=number --max-unchanged-stats=integer --zero-terminated --help --version`,
		positionals: 'path*',
	},
	{
		name: 'stat',
		isHarmlessWithAnyFlag: true,
		flags:
			'-L -f -t -c=text --dereference --file-system --terse --format=text --printf=text --cached=(always|never|default) --help --version',
		positionals: 'path+',
	},
	{
		name: 'file',
		flags: `-b -i -k -L -h -N -n -p -r -s -z -Z -0 -F=text -e=name -P=/[a-z_]+=\\d+/ --brief --mime --mime-type --mime-encoding
			--keep-going --dereference --no-dereference --no-pad --raw --special-files --uncompress --extension --apple --help --version`,
		positionals: 'path+',
		denies: ['file -C -m x', 'file -f list'],
	},
	{
		name: 'du',
		isHarmlessWithAnyFlag: true,
		flags: `-0 -a -A -b -c -D -H -h -k -L -l -m -P -s -S -x -B=size -d=integer -t=size --all --apparent-size --block-size=size --bytes
			--total --dereference-args --human-readable --inodes --dereference --count-links --null --max-depth=integer --no-dereference
			--separate-dirs --si --summarize --threshold=size --time[=(atime|access|use|ctime|status)] --time-style=text --exclude=text
			--one-file-system --help --version`,
		positionals: 'path*',
	},
	{
		name: 'df',
		isHarmlessWithAnyFlag: true,
		flags: `-a -B=size -h -H -i -k -l -m -P -T -t=name -x=name --all --block-size=size --human-readable --si --inodes --local --no-sync
			--output[=/[a-z,]+/] --portability --total --type=name --exclude-type=name --print-type --help --version`,
		positionals: 'path*',
	},
	{
		name: 'find',
		isExecCapable: true,
		flagStyle: 'words',
		flags: `-L -H -P -O0 -O1 -O2 -O3 -amin=integer -anewer=path -atime=integer -cmin=integer -cnewer=path -ctime=integer -daystart -depth -d -empty
			-executable -false -follow -fstype=name -gid=integer -group=name -ignore_readdir_race -ilname=text -iname=text -inum=integer
			-ipath=text -iregex=text -iwholename=text -links=integer -lname=text -ls -maxdepth=integer -mindepth=integer -mmin=integer
			-mount -mtime=integer -name=text -newer=path -newermt=text -newerat=text -newerct=text -nogroup -noleaf -nouser -path=text -perm=text
			-print -print0 -printf=text -prune -quit -readable -regex=text -regextype=name -samefile=path -size=size -true -type=/[bcdpflsD](,[bcdpflsD])*/
			-uid=integer -used=integer -user=name -wholename=text -writable -xdev -xtype=/[bcdpfls](,[bcdpfls])*/ -not -a -o -and -or --help --version`,
		positionals: 'path*',
		allows: [
			"find /var/log -name '*.log' -mtime -1 -size +10k",
			"find . -type f -not -name '*.txt' -o \\( -empty ! -readable \\)",
		],
		denies: [
			'find . -delete',
			'find . -exec id ;',
			'find . -execdir id ;',
			'find . -ok id ;',
			'find . -fprintf /tmp/x %p',
			'find . -fls x',
		],
	},
	{
		name: 'basename',
		isHarmlessWithAnyFlag: true,
		flags: '-a -z -s=text --multiple --suffix=text --zero',
		positionals: 'text+',
	},
	{ name: 'dirname', isHarmlessWithAnyFlag: true, flags: '-z --zero', positionals: 'text+' },
	{
		name: 'realpath',
		isHarmlessWithAnyFlag: true,
		flags:
			'-e -m -L -P -q -s -z --canonicalize-existing --canonicalize-missing --logical --physical --quiet --strip --no-symlinks --zero --relative-to=path --relative-base=path',
		positionals: 'path+',
	},
	{
		name: 'readlink',
		isHarmlessWithAnyFlag: true,
		flags:
			'-f -e -m -n -q -s -v -z --canonicalize --canonicalize-existing --canonicalize-missing --no-newline --quiet --silent --verbose --zero',
		positionals: 'path+',
	},
	...['md5sum', 'sha1sum', 'sha224sum', 'sha256sum', 'sha384sum', 'sha512sum', 'b2sum'].map(checksum),
	{ name: 'cksum', flags: '-a=name --algorithm=name --untagged', positionals: 'path*' },
	{ name: 'sum', isHarmlessWithAnyFlag: true, flags: '-r -s --sysv', positionals: 'path*' },
	{
		name: 'diff',
		flags: `-a -b -B -c -d -e -E -f -i -n -N -p -q -r -s -t -T -u -w -y -Z -C=integer -F=text -I=text -L=text -S=text -U=integer -W=integer -x=text
			--text --ignore-space-change --ignore-blank-lines --brief --side-by-side --unified[=integer] --context[=integer] --recursive
			--new-file --ignore-case --ignore-all-space --report-identical-files --suppress-common-lines --color[=(auto|always|never)]
			--width=integer --label=text --exclude=text --minimal --help --version`,
		positionals: 'path path',
	},
	{
		name: 'cmp',
		isHarmlessWithAnyFlag: true,
		flags: '-b -l -s -i=size -n=size --print-bytes --verbose --quiet --silent --bytes=size --ignore-initial=size',
		positionals: 'path path? size? size?',
	},
	...['zcat', 'bzcat', 'xzcat', 'zstdcat', 'lz4cat'].map(
		(name): ProgramInput => ({ name, flags: '-f -q -v -h --help --version', positionals: 'path*' }),
	),
	{
		name: 'lsattr',
		isHarmlessWithAnyFlag: true,
		flags: '-a -d -l -p -R -v -V',
		positionals: 'path*',
	},
	{ name: 'getfacl', isHarmlessWithAnyFlag: true, flags: '-a -c -d -e -E -L -n -P -p -R -s -t', positionals: 'path+' },
	{
		name: 'namei',
		isHarmlessWithAnyFlag: true,
		flags: '-l -m -n -o -v -x --long --modes --owners',
		positionals: 'path+',
	},
	{ name: 'zipinfo', flags: '-1 -2 -s -m -l -v -h -t -T -z', positionals: 'path text*' },
];
