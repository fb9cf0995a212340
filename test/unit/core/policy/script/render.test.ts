/** What is printed from the tree does what the script did: both are given to a real bash, in an empty folder. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { syntaxKinds } from '../../../../../src/core/policy/schema.ts';
import { readScript } from '../../../../../src/core/policy/script/read.ts';
import { renderScript } from '../../../../../src/core/policy/script/render.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const limits = { syntax: [...syntaxKinds], maxBytes: 16384, maxCommands: 100, maxDepth: 16 };
const rendered = (script: string): string => renderScript(readScript(script, limits));

function bash(script: string) {
	const cwd = tempFolder();
	const { stdout, stderr, status } = spawnSync('bash', ['--noprofile', '--norc', '-s'], {
		input: script,
		cwd,
		env: { PATH: process.env.PATH, HOME: cwd, LC_ALL: 'C' },
		encoding: 'utf8',
	});
	return { stdout: stdout.replaceAll(cwd, '.'), stderr: stderr.replaceAll(/line \d+/g, 'line'), status };
}

const hasBash = spawnSync('bash', ['-c', 'exit 3']).status === 3;

describe.skipIf(!hasBash)('a printed script', () => {
	it.each([
		'echo hello',
		`echo 'a b' "c d" e\\ f "it's" 'say "hi"' $'tab\\there'`,
		'echo a; echo b && echo c || echo d',
		'false && echo no || echo yes',
		'! false; echo $?',
		'false; echo "$?"',
		'echo one | tr a-z A-Z | rev',
		'echo out; echo err >&2; exit 7',
		'{ echo a; echo b >&2; } 2>&1 | sort',
		'ls /nonexistent 2>/dev/null || echo missing',
		'ls /nonexistent |& wc -l',
		'echo x > f; echo y >> f; cat f; cat < f',
		'echo a &> f; echo b &>> f; cat f',
		'echo a >| f; wc -c < f',
		'echo err 2> f >&2; cat f',
		'exec 3>&1; echo x >&3',
		'cat <<EOF\nhello\n  world\nEOF\necho after',
		"cat <<'EOF' | tr a-z A-Z\n$x `y`\nEOF",
		'cat <<-EOF\n\tindented\n\tEOF\necho done',
		'cat <<A; cat <<B\na\nA\nb\nB',
		'cat <<EOF && echo yes\nEND\nEOF',
		'cat <<< hello',
		'x=5; cat <<< "$x apples"',
		'for i in 1 2 3; do echo "n $i"; done',
		'for i in {1..5}; do echo $i; done',
		'echo {a,b}{1,2} x{1..3}y {01..03} {c..a} {5..1..2}',
		'echo a{b,c}d {,x} {a}',
		'for f in ./*; do echo "$f"; done',
		'touch b a c; echo *; echo ./[ab]; echo ?; for f in *; do echo "<$f>"; done',
		'while read -r a b; do echo "$b $a"; done <<< "x y"',
		'while read -r l; do echo "[$l]"; done <<EOF\n1\n2\nEOF',
		'until true; do echo no; done; echo end',
		'if [ -d / ]; then echo dir; elif true; then echo b; else echo c; fi',
		'if false; then echo a; elif true; then echo b; else echo c; fi',
		'case abc in x) echo 1;; a*) echo 2;; *) echo 3;; esac',
		'case a in a) echo 1;& b) echo 2;; c) echo 3;; esac',
		'case a in a) echo 1;;& *) echo 2;; esac',
		'case "x y" in "x y"|z) echo both;; esac',
		'case a in esac; echo empty',
		'[[ abc == a* && 1 -eq 1 ]] && echo match',
		'[[ ! ( a == b || -f /nonexistent ) ]] && echo not',
		'[[ "a b" < "b a" ]] && echo less',
		'(cd /; pwd); pwd | wc -l',
		'(echo a; (echo b; echo c) | rev) | tac',
		'a=1 b="2 3"; echo $a $b "$b"',
		'a=x; a+=y; echo $a',
		'a="1 2"; for i in $a; do echo $i; done',
		'a=1; { a=2; }; echo $a; (a=3); echo $a',
		'LC_ALL=C sort <<< "b"',
		'echo $((1 + 2 * 3)) $((7 / 2)) $((2 ** 10)) $((1 ? 5 : 6)) $((-5 % 3)) $((~5 & 0xff)) $(( (1+2)*3 ))',
		'echo "$(echo inner)" $(echo a b)',
		'echo "nested $(echo "$(echo deep)")"',
		'x=$(printf "a\\nb"); echo "$x"',
		'for i in $(seq 3); do echo $i; done',
		'echo `echo old`',
		'sleep 0 & wait; echo waited',
		'true & wait',
		'echo a & wait; echo b',
		'{ echo x; } > f; cat f',
		'for i in 1 2; do echo $i; done > f; cat f',
		'if true; then echo t; fi | cat',
		'time true 2>/dev/null; echo timed',
		'echo ~ | wc -l; echo ~/x',
		'echo "a\nb"',
		"echo 'multi\nline'",
		'# comment\necho x # trailing\n\n\necho y',
		'echo a \\\n  b',
		"printf '%s\\n' 'it'\\''s' \"\\$x\" \"\\`y\\`\"",
		'echo "" \'\' | od -c',
		'set -e; false; echo not reached',
		'set -u; x=1; echo $x',
		'exit 4',
		'echo $#',
		'echo *nomatch*',
		'echo "*" \'?\' \\[a\\]',
		':',
		'trap "" TERM; echo trapped',
		'test -n x -a -n y && echo both',
		'printf "%d\\n" 0x1f; printf "%b" "a\\tb\\n"',
	])('does what the script did: %s', (script) => {
		expect(bash(rendered(script))).toEqual(bash(script));
	});

	it.each(['ls', 'echo "a b"', 'a && b || c; d &', 'x=1 y', 'for i in a; do b; done | c', 'cat <<E\nx\nE'])(
		'is printed the same once more: %s',
		(script) => {
			expect(rendered(rendered(script))).toBe(rendered(script));
		},
	);
});

describe('renderScript', () => {
	it('quotes every word, so that a shell has nothing left to read into it', () => {
		expect(rendered('ls -la "$x" *.txt ~/a b\\;c')).toBe(`'ls' '-la' "\${x}" *'.txt' ~/'a' 'b;c'\n`);
	});

	it('never ends a here-document early', () => {
		expect(rendered("cat <<'E'\nEND\nEND_\nE")).toBe("'cat' 0<<'END__'\nEND\nEND_\nEND__\n");
	});
});
