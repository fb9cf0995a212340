/** What the bundle of the agent offers the command line: one row per word that may follow "secure-code agent". */
import type { Command } from '../command.ts';
import { agentDoctor } from './agent-doctor.ts';

export const agentCommands: Readonly<Record<string, Command>> = {
	doctor: agentDoctor,
	'--self-test': agentDoctor,
};
