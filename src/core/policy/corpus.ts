/** Commands with what the policy must say to them: read, tried, and what went otherwise is told. Pure. */
import { z } from 'zod';
import { shells } from '../../contract/device-job.ts';
import { decisionWords } from '../../contract/policy.ts';
import { decide, type Question } from './decide.ts';
import type { Policy } from './policy.ts';
import { invalidPolicy, readYaml } from './read-yaml.ts';

const entrySchema = z
	.strictObject({
		/** A script … */
		command: z.string().optional(),
		/** … or words. */
		argv: z.array(z.string()).min(1).optional(),
		capability: z.string().default('shell.run'),
		/** Absent: as the capability has it. */
		shell: z.enum(shells).default('auto'),
		cwd: z.string().optional(),
		env: z.record(z.string(), z.string()).default({}),
		expect: z.enum(decisionWords),
		/** The rule that must have decided. */
		rule: z.string().optional(),
	})
	.refine(({ command, argv }) => (command === undefined) !== (argv === undefined), 'say "command" or "argv"');
export type CorpusEntry = z.output<typeof entrySchema>;

/** YAML with a list, or a line of JSON for each command. */
export function readCorpus(text: string, isLines: boolean): CorpusEntry[] {
	const values = isLines
		? text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [readLine(line, i)]))
		: readYaml(text);
	const result = z.array(entrySchema).safeParse(values);
	return result.success
		? result.data
		: invalidPolicy(`the corpus does not fit: ${z.prettifyError(result.error).split('\n').slice(0, 2).join(' ')}`);
}

function readLine(line: string, index: number): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return invalidPolicy(`line ${index + 1} of the corpus is no JSON`);
	}
}

export const questionFor = (
	{ command, argv, capability, shell, cwd, env }: Omit<CorpusEntry, 'expect' | 'rule'>,
	deviceId = 'device',
): Question => ({
	principal: { roles: ['executor'], capabilities: ['*'] },
	capability,
	command: argv ? { mode: 'argv', argv } : { mode: 'script', script: command ?? '', shell },
	env,
	deviceId,
	...(cwd !== undefined && { cwd }),
});

export interface CorpusFailure {
	readonly entry: CorpusEntry;
	readonly decision: string;
	readonly rule: string;
	readonly why: string;
}

export function failuresOf(policy: Policy, corpus: readonly CorpusEntry[]): CorpusFailure[] {
	return corpus.flatMap((entry) => {
		const { decision, reasons } = decide(policy, questionFor(entry));
		const [first] = reasons;
		const isAsWanted = decision === entry.expect && (entry.rule === undefined || first?.rule === entry.rule);
		return isAsWanted ? [] : [{ entry, decision, rule: first?.rule ?? '', why: first?.why ?? '' }];
	});
}
