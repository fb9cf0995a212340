/** The programs that are measured: what each language writes for them, and what they must print. */
import type { Language } from '../src/contract/language.ts';

export interface Program {
	/** What is measured. */
	readonly name: 'hello' | 'cpu 10 ms' | 'import pandas' | 'output 1 MB';
	readonly language: Language;
	readonly code: string;
	readonly prints: RegExp;
	/** A bundle of packages that it needs, and what a waiting interpreter imports ahead. */
	readonly packages?: {
		readonly bundle: string;
		readonly names: readonly string[];
		readonly preload: readonly string[];
	};
}

const megabyte = 1024 * 1024;

/** Processor time, measured by the program itself, so that the same is done on a slow machine. */
const burn: Record<'python' | 'javascript', string> = {
	python: 'import time\nt = time.process_time()\nwhile time.process_time() - t < 0.01: pass\nprint("done")\n',
	javascript:
		'const t = process.cpuUsage();\nfor (;;) { const { user, system } = process.cpuUsage(t); if (user + system > 10_000) break; }\nconsole.log("done");\n',
};

const hello = /^hello\n$/;
const done = /^done\n$/;
const long = new RegExp(`^x{${megabyte / 32 - 1}}`);

export const programs: readonly Program[] = [
	{ name: 'hello', language: 'python', code: 'print("hello")\n', prints: hello },
	{ name: 'hello', language: 'javascript', code: 'console.log("hello");\n', prints: hello },
	{ name: 'hello', language: 'bash', code: 'echo hello\n', prints: hello },
	{ name: 'cpu 10 ms', language: 'python', code: burn.python, prints: done },
	{ name: 'cpu 10 ms', language: 'javascript', code: burn.javascript, prints: done },
	{ name: 'output 1 MB', language: 'python', code: `print("x" * ${megabyte - 1})\n`, prints: long },
	{ name: 'output 1 MB', language: 'javascript', code: `console.log("x".repeat(${megabyte - 1}));\n`, prints: long },
	{
		name: 'import pandas',
		language: 'python',
		code: 'import pandas\nprint(pandas.DataFrame({"a": [1, 2]}).a.sum())\n',
		prints: /^3\n$/,
		packages: { bundle: 'bench', names: ['pandas'], preload: ['pandas'] },
	},
];
