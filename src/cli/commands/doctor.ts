/** secure-code doctor: what this host can do, and the one fix for each step that fails. */
import { probeBackends } from '../../core/compose.ts';
import type { Probe, ProbeStep } from '../../core/sandbox/backend.ts';
import type { Command } from '../command.ts';
import type { Flags } from '../flags.ts';

const flags = { json: { type: 'boolean', help: 'print one line of JSON' } } as const satisfies Flags;

const help = `Says whether code can be run safely on this host, and what to do if not.

Usage: secure-code doctor [--json]

Exit codes: 0 full, 1 reduced, 2 cannot run.
`;

const exitCodes = { full: 0, reduced: 1, none: 2 } as const;
type Level = keyof typeof exitCodes;

const marks: Record<ProbeStep['status'], string> = { ok: 'ok      ', reduced: 'reduced ', failed: 'FAILED  ' };

const levelOf = (probes: readonly Probe[]): Level =>
	probes.some((probe) => probe.tier === 'full') ? 'full' : probes.some((probe) => probe.tier) ? 'reduced' : 'none';

const sentences: Record<Level, string> = {
	full: 'Code runs in a jail with every limit enforced by the kernel.',
	reduced: 'Code runs in a jail, with the reductions named above.',
	none: 'No sandbox can run here. Nothing will be executed until the failed step is mended.',
};

function show(probe: Probe): string {
	const lines = probe.steps.map(
		(step) => `  ${marks[step.status]} ${step.name}: ${step.detail}${step.fix ? `\n           fix: ${step.fix}` : ''}`,
	);
	return `${probe.backend}\n${lines.join('\n')}\n`;
}

export const doctor: Command = {
	flags,
	help,
	async act(typed) {
		const backends = await probeBackends();
		const tier = levelOf(backends);
		if (typed.values.json === true) process.stdout.write(`${JSON.stringify({ tier, backends })}\n`);
		else process.stdout.write(`${backends.map(show).join('\n')}\n${sentences[tier]}\n`);
		return exitCodes[tier];
	},
};
