import { describe, expect, it } from 'vitest';
import { workspace } from '../../../../../src/core/policy/paths.ts';
import { syntaxKinds } from '../../../../../src/core/policy/schema.ts';
import { shownCommand, shownField } from '../../../../../src/core/policy/script/field.ts';
import { readScript } from '../../../../../src/core/policy/script/read.ts';
import { walkScript } from '../../../../../src/core/policy/script/walk.ts';

const limits = { syntax: [...syntaxKinds], maxBytes: 16384, maxCommands: 50, maxDepth: 8 };

/** Every command that may run, with its folders and files, as text. */
function told(script: string): string[] {
	const lines: string[] = [];
	walkScript(readScript(script, limits), {
		folder: workspace,
		isSetOutside: (name) => name === 'given',
		visit: ({ fields, files, folders, assigned }) => {
			const where = folders?.map(({ base, names }) =>
				base === '/' ? `/${names.join('/')}` : ['.', ...names].join('/'),
			);
			const used = files.map(({ access, field }) => `${access === 'read' ? '<' : '>'}${shownField(field)}`);
			const set = assigned.map(({ name, isExported }) => `${name}${isExported ? '!' : ''}=`);
			const line = [...set, shownCommand(fields), ...used].filter((part) => part !== '').join(' ');
			if (line !== '') lines.push(where?.join() === '.' ? line : `${line} in ${where?.join() ?? '?'}`);
		},
	});
	return lines;
}

describe('a script', () => {
	it.each<[string, string[]]>([
		['ls; id', ['ls', 'id']],
		['x=1; echo $x', ['x=', 'echo 1']],
		['x=1 ls', ['x!= ls']],
		['for i in a b; do echo $i; done', ['i=', 'echo a', 'echo b']],
		['for i in {1..20}; do echo $i; done', ['i=', 'echo {number}']],
		['x="a b"; ls $x "$x"', ['x=', 'ls a b a b']],
		['x="-l *"; ls $x', ['x=', 'ls -l *']],
		['echo $y "$given" $given $PATH', ['echo {unknown} {unknown} {unknown}']],
		['x=a; if true; then x=b; fi; echo $x', ['x=', 'true', 'x=', 'echo a', 'echo b']],
		['x=a; true && x=b; echo $x', ['x=', 'true', 'x=', 'echo a', 'echo b']],
		['x=a; (x=b); echo $x', ['x=', 'x=', 'echo a']],
		['x=a; { x=b; }; echo $x', ['x=', 'x=', 'echo b']],
		['x=a; x=b | cat; echo $x', ['x=', 'x=', 'cat', 'echo a']],
		['x=a; x+=b; echo $x', ['x=', 'x=', 'echo ab']],
		['x=a; while true; do echo $x; x=b; done', ['x=', 'true', 'echo {unknown}', 'x=']],
		['x=a; case $x in a) x=b;; *) x=c;; esac; echo $x', ['x=', 'x=', 'x=', 'echo a', 'echo b', 'echo c']],
		['read -r x; echo "$x"', ['read -r x', 'echo {unknown}']],
		['cd /etc; cat x', ['cd /etc', 'cat x in .,/etc']],
		['cd /etc && cd ssl; ls', ['cd /etc', 'cd ssl in .,/etc', 'ls in .,/etc,./ssl,/etc/ssl']],
		['cd ..; ls', ['cd ..', 'ls in ?']],
		['cd "$given"; ls', ['cd {unknown}', 'ls in ?']],
		['(cd /etc; ls); pwd', ['cd /etc', 'ls in .,/etc', 'pwd']],
		['cd ~/x; ls', ['cd ~/x', 'ls in .,./x']],
		['for i in a b; do cd $i; ls; done', ['i=', 'cd a in ?', 'cd b in ?', 'ls in ?']],
		['ls > out < in', ['ls >out <in']],
		['{ ls; } > out', ['>out', 'ls']],
		['echo $(id) `pwd`', ['id', 'pwd', 'echo {unknown} {unknown}']],
		['x=$(id); echo "$x"', ['id', 'x=', 'echo {unknown}']],
		['for f in *.txt; do cat "$f"; done', ['f=', 'cat *.txt']],
		['[[ -f /x && $? -eq 0 ]]', ['</x']],
		['echo $? $$ $((1+2))', ['echo {number} {number} {number}']],
		['echo ~ ~/x', ['echo ~ ~/x']],
		['ls & pwd', ['ls', 'pwd']],
		['x=$x$x$x; echo $x', ['x=', 'echo']],
	])('%s', (script, commands) => {
		expect(told(script)).toEqual(commands);
	});

	it('stays small where variables could stand for very much', () => {
		const many =
			'x=a; for i in 1 2 3 4 5 6; do for j in a b c d e f; do for k in p q r s t u; do echo $i$j$k; done; done; done';
		expect(told(many).length).toBeLessThan(100);
	});
});
