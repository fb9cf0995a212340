/** Shell commands that stand inside the words of other programs: remote ones, aliases, calls in other languages. Pure. */
import { operands, type Started } from './started.ts';

const interpreters = /^(perl|ruby|php|lua|luajit|tclsh|expect|[gmn]?awk|osascript|irb|groovy|julia|rscript|guile)$/;
const editors = /^(vi|vim|nvim|view|ex|ed|less|more|man|git|mutt|gdb|nmap|ftp|mysql|psql|sqlite3)$/;

/** Calls by which other languages start commands. */
const calls =
	/(?:\b(?:system|exec\w*|popen\w*|spawn\w*|qx|execute|shell_exec|passthru|proc_open|do shell script)\b|%x)\s*[({[/|!<]*([^;]{0,2000})/g;

const stringsIn = (text: string): string[] =>
	[...text.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/g)].map(([, a, b]) => a ?? b ?? '');

/** `system("rm", "-rf", "/")` is one command, and each string may be one, too. */
function calledIn(code: string): string[] {
	const called = [...code.matchAll(calls)].flatMap(([, rest = '']) => {
		const strings = stringsIn(rest);
		const bare = /^[^"'`]*/.exec(rest)?.[0] ?? '';
		return [strings.join(' '), ...strings, bare];
	});
	const backticks = [...code.matchAll(/`([^`]{1,2000})`/g)].map(([, text = '']) => text);
	return [...called, ...backticks];
}

/** Words after the host of ssh, or after the sub-command of a multiplexer. */
const afterFirst = (args: readonly string[], valued: RegExp): string => {
	let at = 0;
	while (args[at]?.startsWith('-')) at += valued.test(args[at] as string) ? 2 : 1;
	return args.slice(at + 1).join(' ');
};

const startingOptions =
	/^(?:--checkpoint-action=exec=|--to-command=|--use-compress-program=|--rsh=|--rsync-path=|ProxyCommand=|-oProxyCommand=|LocalCommand=|PermitLocalCommand=|--pre=|--exec=|core\.[a-zA-Z]+=|alias\.\w+=!?|--eval=|--init-command=)(.+)$/s;

/** @returns scripts that the command hands on */
export function scriptsIn({ name, args, fact }: Started): string[] {
	const found: string[] = [];
	if (interpreters.test(name)) found.push(...args.flatMap(calledIn));
	if (editors.test(name)) found.push(...args.flatMap((arg) => /(?:^|[\s:+|=])!\s*(.+)$/s.exec(arg)?.[1] ?? ''));
	found.push(...args.map((arg) => startingOptions.exec(arg)?.[1] ?? ''));
	if (name === 'tar' || name === 'rsync')
		found.push(...args.flatMap((arg, i) => (/^-[a-zA-Z]*[Ie]$/.test(arg) ? [args[i + 1] ?? ''] : [])));
	if (/^(ssh|slogin|rsh|mosh|sshpass)$/.test(name)) found.push(afterFirst(args, /^-[bcDEeFIiJLlmOopQRSWw]$/));
	if (/^(tmux|screen)$/.test(name))
		found.push(
			operands(args)
				.slice(name === 'tmux' ? 1 : 0)
				.join(' '),
		);
	if (/^(at|batch)$/.test(name)) found.push(fact.input?.text ?? '');
	if (name === 'env')
		found.push(
			...args.flatMap((arg, i) =>
				/^(-[a-z0i]*S|--split-string)$/.test(arg)
					? [args.slice(i + 1).join(' ')]
					: [/^(?:-S|--split-string=)(.+)$/s.exec(arg)?.[1] ?? ''],
			),
		);
	if (name === 'sed') found.push(...args.flatMap((arg) => /(?:^|[;\n\d/$])e\s+(.+)$/s.exec(arg)?.[1] ?? ''));
	if (/^(watch|xargs|parallel|flock|su|script|nohup|setsid|timeout)$/.test(name) || /\s/.test(name))
		found.push(...args.filter((arg) => /\s/.test(arg)));
	if (/\s/.test(fact.argv[0] ?? '')) found.push(fact.argv.join(' '));
	return found.filter((text) => text.trim() !== '');
}
