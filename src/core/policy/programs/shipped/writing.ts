/** Programs that make, change and delete files, held to the paths that may be written. Pure. */
import type { ProgramInput } from '../../schema.ts';

export const writingPrograms: readonly ProgramInput[] = [
	{
		name: 'mkdir',
		flags: '-p -v -m=/[0-7]{3,4}/ --parents --verbose --mode=/[0-7]{3,4}/',
		positionals: 'write+',
		allows: ['mkdir -p a/b /tmp/c'],
		denies: ['mkdir /etc/x', 'mkdir -m u+s x'],
	},
	{ name: 'rmdir', flags: '-p -v --parents --verbose --ignore-fail-on-non-empty', positionals: 'write+' },
	{
		name: 'touch',
		flags: '-a -c -m -d=text -t=/[0-9.]+/ -r=path --no-create --date=text --reference=path',
		positionals: 'write+',
		denies: ['touch /etc/x'],
	},
	{
		name: 'rm',
		flags: '-r -R -f -v -d --recursive --force --verbose --dir',
		positionals: 'write+',
		allows: ['rm -rf build', 'rm /tmp/x'],
		denies: ['rm -rf /', 'rm -rf ..', 'rm /etc/motd', 'rm -rf ~/../x', 'rm *'],
	},
	{
		name: 'cp',
		flags:
			'-a -f -n -p -r -R -u -v -L -P -T --archive --force --no-clobber --recursive --update --verbose --preserve[=name]',
		positionals: 'path+ write',
		allows: ['cp -r /etc/hosts copy'],
		denies: ['cp x /etc/motd', 'cp /etc/shadow x', 'cp -t /etc x', 'cp --target-directory=/etc x'],
	},
	{
		name: 'mv',
		flags: '-f -n -u -v -T --force --no-clobber --update --verbose',
		positionals: 'write+ write',
		denies: ['mv /etc/hosts x', 'mv x /etc/hosts'],
	},
	{
		name: 'ln',
		flags: '-s -f -v -n -T --symbolic --force --verbose',
		// What a link leads to is judged nowhere else, so it leads to what may be written anyway.
		positionals: 'target write',
		allows: ['ln -s build/x latest', 'ln -sf /tmp/a b'],
		denies: ['ln -s /etc/shadow x', 'ln -s x /etc/x', 'ln -s / root', 'ln -s /etc etc', 'ln -s a/../../etc b', 'ln a'],
	},
	{
		name: 'chmod',
		flags: '-v -c -R --verbose --changes --recursive',
		// No set-user-id bits.
		positionals: '/[0-7]{3}|[ugoa]*[+=-][rwxX]+(,[ugoa]*[+=-][rwxX]+)*/ write+',
		allows: ['chmod 755 x', 'chmod -R u+rwX,go-w x'],
		denies: ['chmod u+s x', 'chmod 4755 x', 'chmod 644 /etc/motd'],
	},
	{ name: 'truncate', flags: '-s=size --size=size -c', positionals: 'write+' },
	{
		name: 'split',
		flags: '-l=integer -b=size -d -a=integer',
		positionals: 'path write',
		denies: ['split --filter=id x y'],
	},
	{
		name: 'gzip',
		flags: '-d -k -f -v -l -t -c -1 -6 -9 --decompress --keep --force --list --test --stdout',
		positionals: 'write*',
	},
	{ name: 'gunzip', flags: '-k -f -v -c --keep --force --stdout', positionals: 'write*' },
];
