/** secure-code agent policy: what the policy says to commands, whether it says what it should, and policies of other systems. */
import { existsSync, readFileSync } from 'node:fs';
import { KnownError } from '../../contract/error.ts';
import { failuresOf, questionFor, readCorpus } from '../../core/policy/corpus.ts';
import { decide } from '../../core/policy/decide.ts';
import { explainDecision } from '../../core/policy/explain.ts';
import { importDeviceManifest } from '../../core/policy/importers/device-manifest.ts';
import { importOgent } from '../../core/policy/importers/ogent.ts';
import { importQuickCmd } from '../../core/policy/importers/quickcmd.ts';
import { loadPolicy } from '../../core/policy/load.ts';
import type { Policy } from '../../core/policy/policy.ts';
import { layoutOf } from '../../device/agent/layout.ts';
import { readOnlyPolicy, shippedPolicies } from '../../device/agent/policies.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command, Typed } from '../command.ts';
import { type Flags, text, type Values } from '../flags.ts';

const flags = {
	...dirFlag,
	policy: {
		type: 'string',
		value: 'FILE',
		help: `a file, or ${Object.keys(shippedPolicies).join(', ')} (default: the policy of the agent)`,
	},
	capability: { type: 'string', short: 'c', value: 'NAME', help: 'explain: what is asked for (default shell.run)' },
	script: { type: 'string', short: 's', value: 'TEXT', help: 'explain: a script, in place of words' },
	shell: { type: 'string', value: 'SHELL', help: 'explain: auto (default), bash, sh or powershell' },
	cwd: { type: 'string', value: 'FOLDER', help: 'explain: where the job starts' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Says what a policy decides, and tries it. Nothing is run.

Usage: secure-code agent policy explain [flags] -- WORD...
       secure-code agent policy explain [flags] --script TEXT
       secure-code agent policy test [flags] [CORPUS...]
       secure-code agent policy import ogent|quickcmd|device FILE
       secure-code agent policy show read-only|developer|strict

test loads the policy, which tries the examples of its own rules, and then every command of the corpora: YAML, or JSON
lines (.jsonl), with "command" or "argv", "expect" (allow, ask, deny) and if wanted "capability" and "rule".
import prints a policy made of a file of another system; its first lines say what became narrower.

Exit codes: 0 as expected, 1 a command is decided otherwise, 78 the policy is not valid.

Example:
  secure-code agent policy explain --policy read-only -- ls -la /var/log
`;

const usage = (details: string) => new KnownError('USAGE', { details });

function read(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		throw usage(`${file} cannot be read`);
	}
}

function policyOf(values: Values): Policy {
	const named = text(values, 'policy');
	const shipped = named !== undefined && Object.hasOwn(shippedPolicies, named) ? shippedPolicies[named] : undefined;
	if (shipped !== undefined && !existsSync(named ?? '')) return loadPolicy(shipped);
	const dir = agentFolder(values);
	return loadPolicy(read(named ?? layoutOf(dir).policy), { ownPaths: [dir] });
}

const shellOf = (values: Values): 'auto' | 'bash' | 'sh' | 'powershell' => {
	const typed = text(values, 'shell') ?? 'auto';
	if (typed === 'auto' || typed === 'bash' || typed === 'sh' || typed === 'powershell') return typed;
	throw usage(`--shell ${typed}: must be auto, bash, sh or powershell`);
};

function explain({ values }: Typed, words: readonly string[]): number {
	const script = text(values, 'script');
	if ((script === undefined) === (words.length === 0))
		throw usage('agent policy explain: say --script TEXT, or words behind --');
	const cwd = text(values, 'cwd');
	const question = questionFor({
		...(script === undefined ? { argv: [...words] } : { command: script }),
		...(cwd !== undefined && { cwd }),
		capability: text(values, 'capability') ?? 'shell.run',
		shell: shellOf(values),
		env: {},
	});
	const decision = decide(policyOf(values), question);
	process.stdout.write(values.json === true ? `${JSON.stringify(decision)}\n` : explainDecision(decision));
	return 0;
}

function test({ values }: Typed, files: readonly string[]): number {
	const policy = policyOf(values);
	const corpora = files.map((file) => ({ file, corpus: readCorpus(read(file), file.endsWith('.jsonl')) }));
	const failures = corpora.flatMap(({ file, corpus }) =>
		failuresOf(policy, corpus).map((failure) => ({ file, ...failure })),
	);
	const tried = corpora.reduce((sum, { corpus }) => sum + corpus.length, 0);
	if (values.json === true)
		process.stdout.write(`${JSON.stringify({ policy: policy.name, hash: policy.hash, tried, failures })}\n`);
	else {
		for (const { file, entry, decision, rule, why } of failures)
			process.stdout.write(
				`${file}: ${JSON.stringify(entry.command ?? entry.argv)}: expected ${entry.expect}${entry.rule ? ` by ${entry.rule}` : ''}, but ${rule} says ${decision}: ${why}\n`,
			);
		process.stdout.write(
			`${policy.name}: its own examples hold; ${tried} commands tried, ${failures.length} decided otherwise\n`,
		);
	}
	return failures.length === 0 ? 0 : 1;
}

const importers = { ogent: importOgent, quickcmd: importQuickCmd, device: importDeviceManifest } as const;

function importPolicy([system = '', file, ...more]: readonly string[]): number {
	const importer = Object.hasOwn(importers, system) ? importers[system as keyof typeof importers] : undefined;
	if (!importer || file === undefined || more.length > 0)
		throw usage(`agent policy import: say one of ${Object.keys(importers).join(', ')} and a file`);
	const imported = importer(read(file), readOnlyPolicy);
	// What is printed must be a policy.
	loadPolicy(imported.text);
	process.stdout.write(imported.text);
	return 0;
}

function show([name = '', ...more]: readonly string[]): number {
	const shipped = more.length === 0 && Object.hasOwn(shippedPolicies, name) ? shippedPolicies[name] : undefined;
	if (shipped === undefined) throw usage(`agent policy show: say one of ${Object.keys(shippedPolicies).join(', ')}`);
	process.stdout.write(shipped);
	return 0;
}

export const agentPolicy: Command = {
	flags,
	help,
	async act(typed) {
		const [action, ...words] = typed.positionals;
		if (action === 'explain') return explain(typed, words);
		if (action === 'test') return test(typed, words);
		if (action === 'import') return importPolicy(words);
		if (action === 'show') return show(words);
		throw usage('agent policy: say explain, test, import or show');
	},
};
