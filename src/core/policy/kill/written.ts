/** Which files a command writes, moves, deletes or changes. Pure. */
import { operands, type Started } from './started.ts';

type Writes = (args: readonly string[]) => readonly string[];

const all: Writes = operands;
const butFirst: Writes = (args) => operands(args).slice(1);
const last: Writes = (args) => {
	const folder = args.flatMap((arg, i) => {
		const joined = /^(?:-t|--target-directory(?:=(.+))?)$/.exec(arg);
		return joined ? [joined[1] ?? args[i + 1] ?? ''] : [];
	});
	const words = operands(args);
	return [...folder, ...words.slice(-1)];
};
const optionValue =
	(flag: RegExp): Writes =>
	(args) =>
		args.flatMap((arg, i) => {
			const joined = flag.exec(arg);
			return joined ? [joined[1] ?? args[i + 1] ?? ''] : [];
		});
const inPlace =
	(flag: RegExp): Writes =>
	(args) =>
		args.some((arg) => flag.test(arg)) ? operands(args) : [];

const writers: Readonly<Record<string, Writes>> = {
	tee: all,
	sponge: all,
	cp: last,
	mv: all,
	install: last,
	ln: last,
	link: last,
	rsync: last,
	scp: last,
	touch: all,
	mkdir: all,
	truncate: all,
	fallocate: all,
	rm: all,
	rmdir: all,
	unlink: all,
	shred: all,
	chmod: butFirst,
	chown: butFirst,
	chgrp: butFirst,
	chattr: butFirst,
	setfacl: all,
	sed: inPlace(/^(-[a-zA-Z]*i|--in-place)/),
	perl: inPlace(/^-[a-zA-Z]*i/),
	ruby: inPlace(/^-[a-zA-Z]*i/),
	awk: inPlace(/^inplace$/),
	dd: optionValue(/^of=(.+)$/),
	curl: optionValue(/^(?:-[a-zA-Z]*o|--output(?:=(.+))?)$/),
	wget: optionValue(/^(?:-[a-zA-Z]*[OP]|--output-document=(.+)|--directory-prefix=(.+))$/),
	tar: optionValue(/^(?:-C|--directory=(.+))$/),
	unzip: optionValue(/^-d(.+)?$/),
	sort: optionValue(/^(?:-o(.+)?|--output=(.+))$/),
	patch: all,
	split: butFirst,
	visudo: optionValue(/^-f$/),
	crudini: butFirst,
	'ssh-copy-id': () => ['/root/.ssh/authorized_keys'],
	...Object.fromEntries(
		[
			'vi',
			'vim',
			'nvim',
			'view',
			'nano',
			'pico',
			'emacs',
			'ed',
			'ex',
			'joe',
			'mcedit',
			'micro',
			'kak',
			'hx',
			'sudoedit',
			'sensible-editor',
			'editor',
			'gedit',
			'code',
		].map((name) => [name, all]),
	),
};

const isOutput = (operator: string, target: string): boolean =>
	/^(>|>>|>\||&>|&>>|<>)$/.test(operator) || (operator === '>&' && !/^-?\d*-?$/.test(target));

export function writtenBy({ name, args, fact }: Started): string[] {
	const files = Object.hasOwn(writers, name) ? (writers[name]?.(args) ?? []) : [];
	const redirected = fact.redirects.flatMap(({ operator, target }) => (isOutput(operator, target) ? [target] : []));
	return [...files.filter((file) => file !== ''), ...redirected];
}
