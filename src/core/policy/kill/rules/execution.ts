/** Running what came from elsewhere, and filling the machine with itself. Pure. */
import type { CommandFact, CommandInput, Fact } from '../../../checker/facts.ts';
import { hole, operands, type Started } from '../started.ts';
import type { KillContext, KillRule } from './rule.ts';

const downloaders =
	/^(curl|wget|fetch|aria2c|axel|lwp-download|lwp-request|get|http|https|httpie|xh|lynx|links|w3m|ftp|tftp|scp|nc|ncat|netcat|socat|telnet|dig|nslookup|host|gsutil|aws|rclone)$/;
const interpreters =
	/^((ba|da|z|k|a|mk|fi|c|tc)?sh|source|\.|eval|python[\d.]*|pypy\d*|perl|ruby|node|nodejs|bun|deno|php|lua|luajit|tclsh|pwsh|powershell|osascript|irb|rscript|julia|groovy|expect)$/;

const baseOf = (word: string | undefined): string =>
	(word ?? '').slice((word ?? '').lastIndexOf('/') + 1).toLowerCase();

/** Options by which a program is given in the words. */
const carriesProgram = (name: string): RegExp => (/sh$/.test(name) ? /^-[a-zA-Z]*c$/ : /^-[a-zA-Z]*[cemr]$/);

/** Without a program of its own, an interpreter runs what it reads. */
const readsProgram = ({ name, args }: Started): boolean =>
	interpreters.test(name) &&
	(args.every((arg) => arg.startsWith('-') && !carriesProgram(name).test(arg)) ||
		args.some((arg) => /^(-s|-|\/dev\/stdin|\/dev\/fd\/\d+|\/proc\/self\/fd\/\d+)$/.test(arg)));

const isDownload = ([name]: readonly string[]): boolean => downloaders.test(baseOf(name));

function runsDownload(started: Started, { facts, downloaded: files }: KillContext): boolean {
	const { fact, name, args } = started;
	if (
		nearest(fact.input).some(isDownload) &&
		(readsProgram(started) || (fact.wrappers.includes('xargs') && interpreters.test(name)))
	)
		return true;
	if (
		fact.argv[0]?.includes(hole) &&
		facts.some((one) => one.kind === 'command' && one !== fact && isWithin(one, fact) && isDownload(one.argv))
	)
		return true;
	if (files.size === 0) return false;
	const program = fact.argv[0] ?? '';
	return files.has(fileOf(program)) && program.includes('/')
		? true
		: interpreters.test(name) &&
				operands(args)
					.slice(0, 1)
					.some((word) => files.has(fileOf(word)));
}

/** `$(curl …)` in the place of a command. */
const isWithin = ({ span }: Fact, outer: Fact): boolean => span.from >= outer.span.from && span.to <= outer.span.to;

/** A pipeline of any length is looked at that far back. */
const mostStages = 64;
const nearest = (input: CommandInput | null): readonly (readonly string[])[] => input?.from.slice(0, mostStages) ?? [];

/** Names of files are compared without their folders: a script that loads "a" and runs "/tmp/a" means the same one. */
const fileOf = (word: string): string => baseOf(word.replace(/[?#].*$/s, ''));

/** Names of the files that a command fills with what it, or a command before it in the pipeline, has loaded. */
export function downloadedBy({ argv, redirects, input }: CommandFact): string[] {
	const isFetching = isDownload(argv);
	if (!isFetching && !nearest(input).some(isDownload)) return [];
	const written = redirects
		.filter(({ operator }) => /^(>|>>|>\||&>)$/.test(operator))
		.map(({ target }) => fileOf(target));
	if (!isFetching) return [...written, ...(baseOf(argv[0]) === 'tee' ? operands(argv.slice(1)).map(fileOf) : [])];
	const named = argv.flatMap((arg, i) => {
		const joined = /^(?:-[a-zA-Z]*[oO]|--output(?:-document)?(?:=(.+))?)$/.exec(arg);
		return joined ? [fileOf(joined[1] ?? argv[i + 1] ?? '')] : [];
	});
	return [
		...written,
		...named,
		...operands(argv.slice(1))
			.filter((word) => word.includes('/'))
			.map(fileOf),
	];
}

/** `eval "$(curl …)"`, `bash -c "$(wget …)"`. */
const isDownloadedCode = (fact: Fact): boolean => fact.kind === 'code' && (fact.origin?.some(isDownload) ?? false);

const isBomb = (fact: Fact): boolean => fact.kind === 'shape';
const forksForEver = ({ name, args }: Started): boolean =>
	/^(perl|ruby|php|python[\d.]*)$/.test(name) &&
	args.some((arg) => /\bfork\b.{0,20}\bwhile\b|\bwhile\b.{0,40}\bfork\b|\bloop\b.{0,20}\bfork\b/s.test(arg));

export const executionRules: readonly KillRule[] = [
	{ name: 'download-and-run', what: 'run what was just downloaded', command: runsDownload, fact: isDownloadedCode },
	{ name: 'fork-bomb', what: 'fill the machine with processes', command: forksForEver, fact: isBomb },
];
