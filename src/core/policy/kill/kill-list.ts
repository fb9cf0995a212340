/** What nobody may do on a device, whatever the policy says and whoever approves: found by what commands mean. Pure. */
import type { Command } from '../../../contract/device-job.ts';
import type { PolicyReason } from '../../../contract/policy.ts';
import { factsIn } from '../../checker/commands.ts';
import type { Fact } from '../../checker/facts.ts';
import { TooMuchWork, withinWork } from '../../checker/values/work.ts';
import { reason } from '../reasons.ts';
import { quote } from '../script/render.ts';
import { scriptsIn } from './inside.ts';
import { containerRules } from './rules/containers.ts';
import { deletionRules } from './rules/deletion.ts';
import { evaluationRules, isEvaluation } from './rules/evaluation.ts';
import { downloadedBy, executionRules } from './rules/execution.ts';
import { machineRules } from './rules/machine.ts';
import type { KillContext, KillRule } from './rules/rule.ts';
import { trustRules } from './rules/trust.ts';
import { hole, startedBy } from './started.ts';
import { windowsFindings } from './windows.ts';

const rulesOfAll: readonly KillRule[] = [
	...deletionRules,
	...machineRules,
	...trustRules,
	...executionRules,
	...containerRules,
];

export interface KillQuestion {
	readonly capability: string;
	readonly command: Command;
	/** Whether a script is one of PowerShell. */
	readonly isPowershell: boolean;
	readonly cwd: string | undefined;
	/** Paths of the agent itself. */
	readonly own: readonly string[];
}

const deepestScript = 3;

export function killReasons({ capability, command, isPowershell, cwd, own }: KillQuestion): PolicyReason[] {
	if (command.mode === 'script' && isPowershell) return windowsFindings(command.script).map(told);
	const text = command.mode === 'argv' ? command.argv.map(quote).join(' ') : command.script;
	const start = cwd === undefined ? '' : `cd ${quote(cwd)}\n`;
	const rules = isEvaluation(capability) ? [...rulesOfAll, ...evaluationRules] : rulesOfAll;
	return withinWork(text.length, () => understood(`${start}${text}`, { rules, own }));
}

/** What costs too much to be understood may hide anything. */
function understood(text: string, search: Search): PolicyReason[] {
	try {
		return findingsIn(text, search, 0).map(told);
	} catch (error) {
		if (!(error instanceof TooMuchWork)) throw error;
		return [reason('limit', 'deny', 'limit/work', 'it costs too much to be understood')];
	}
}

/** The rules that count, and the paths of the agent itself. */
type Search = Pick<KillContext, 'own'> & { readonly rules: readonly KillRule[] };

export interface Finding {
	readonly rule: string;
	readonly what: string;
	readonly command: string;
}

const told = ({ rule, what, command }: Finding): PolicyReason =>
	reason('kill-list', 'deny', `kill-list/${rule}`, `nobody may ${what}`, command);

function findingsIn(text: string, search: Search, depth: number): Finding[] {
	if (depth > deepestScript) return [];
	const facts = factsIn('bash', text) ?? [];
	const downloaded = new Set<string>();
	return facts.flatMap((fact) => {
		const found = findingsOf(fact, { ...search, facts, downloaded }, depth);
		if (fact.kind === 'command') for (const file of downloadedBy(fact)) if (file !== '') downloaded.add(file);
		return found;
	});
}

function findingsOf(fact: Fact, context: KillContext & Search, depth: number): Finding[] {
	const { rules } = context;
	const found = rules.flatMap((rule) => (rule.fact?.(fact, context) ? [findingFor(rule, fact)] : []));
	if (fact.kind !== 'command') return found;
	const started = startedBy(fact);
	return [
		...found,
		...started.flatMap((one) =>
			rules.flatMap((rule) => (rule.command?.(one, context) ? [findingFor(rule, fact)] : [])),
		),
		...started.flatMap(({ name, args }) => (ofWindows.test(name) ? windowsFindings([name, ...args].join(' ')) : [])),
		...started.flatMap((one) => scriptsIn(one).flatMap((script) => findingsIn(script, context, depth + 1))),
	];
}

/** Programs of Windows that may be started from any shell. */
const ofWindows =
	/^(format|diskpart|bcdedit|bootrec|reagentc|vssadmin|wmic|wbadmin|reg|schtasks|sc|net|net1|netsh|wevtutil|auditpol|powershell|pwsh|cmd|taskkill|icacls|takeown|fsutil|mshta|regsvr32|rundll32|certutil|bitsadmin|msiexec|cipher|shutdown)$/;

const shown = (words: readonly string[]): string => words.join(' ').replaceAll(hole, '{unknown}');

const findingFor = ({ name, what }: KillRule, fact: Fact): Finding => ({
	rule: name,
	what,
	command:
		fact.kind === 'command'
			? shown(fact.argv.length > 0 ? fact.argv : fact.redirects.map(({ operator, target }) => operator + target))
			: fact.kind === 'call'
				? fact.path
				: '',
});
