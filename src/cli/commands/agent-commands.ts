/** What the bundle of the agent offers the command line: one row per word that may follow "secure-code agent". */
import type { Command } from '../command.ts';
import { agentApprovals } from './agent-approvals.ts';
import { agentDoctor } from './agent-doctor.ts';
import { agentEnroll } from './agent-enroll.ts';
import { agentExec } from './agent-exec.ts';
import { agentInit } from './agent-init.ts';
import { agentJobs } from './agent-jobs.ts';
import { agentKeys } from './agent-keys.ts';
import { agentPolicy } from './agent-policy.ts';
import { agentServe } from './agent-serve.ts';

export const agentCommands: Readonly<Record<string, Command>> = {
	init: agentInit,
	serve: agentServe,
	exec: agentExec,
	keys: agentKeys,
	enroll: agentEnroll,
	jobs: agentJobs,
	approvals: agentApprovals,
	policy: agentPolicy,
	doctor: agentDoctor,
	'--self-test': agentDoctor,
};

/** The same bundle reads the audit. */
export { auditCommands } from './audit-commands.ts';
