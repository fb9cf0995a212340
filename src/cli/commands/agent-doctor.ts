/** secure-code agent doctor: whether the agent is safe and can work, and the one fix for each step that fails. */
import { KnownError } from '../../contract/error.ts';
import { type Diagnosis, diagnose } from '../../device/agent/doctor/doctor.ts';
import type { Step } from '../../device/agent/doctor/step.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import type { Flags } from '../flags.ts';

const flags = { ...dirFlag, json: { type: 'boolean', help: 'print one line of JSON' } } as const satisfies Flags;

const help = `Checks the agent of a folder and this machine: files and their owners, keys, listeners, certificates, policy,
whether jobs are jailed and really end, groups, clock, disk and audit. The agent may run meanwhile.

Usage: secure-code agent doctor [--dir D] [--json]     (also: secure-code agent --self-test)

Exit codes: 0 good, 1 reduced, 2 cannot or must not serve.
`;

const exitCodes: Record<Diagnosis['tier'], number> = { full: 0, reduced: 1, none: 2 };

const marks: Record<Step['status'], string> = { ok: 'ok      ', reduced: 'reduced ', failed: 'FAILED  ' };

const sentences: Record<Diagnosis['tier'], string> = {
	full: 'All is well.',
	reduced: 'The agent can work; what is reduced should be mended.',
	none: 'The agent must not serve until what failed is mended.',
};

const show = ({ name, status, detail, fix }: Step): string =>
	`${marks[status]} ${name}: ${detail}\n${fix === null ? '' : `           fix: ${fix}\n`}`;

export const agentDoctor: Command = {
	flags,
	help,
	async act({ values, positionals }) {
		if (positionals.length > 0) throw new KnownError('USAGE', { details: `agent doctor takes no "${positionals[0]}"` });
		const { tier, steps } = await diagnose(agentFolder(values));
		if (values.json === true) process.stdout.write(`${JSON.stringify({ tier, steps })}\n`);
		else process.stdout.write(`${steps.map(show).join('')}\n${sentences[tier]}\n`);
		return exitCodes[tier];
	},
};
