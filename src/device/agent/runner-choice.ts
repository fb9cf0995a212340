/** Where jobs run: in this process, or on the exec side, which is another user and reads a policy of its own. */
import { isAbsolute, join } from 'node:path';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Policy } from '../../core/policy/policy.ts';
import { createRunner } from '../../core/runner/create-runner.ts';
import type { Runner } from '../../core/runner/runner.ts';
import { connectRunner } from './exec/client.ts';

export function runnerFor(dir: string, { runner }: AgentConfig, { profiles }: Policy): Runner {
	if (runner === 'in-process') return createRunner({ profiles, dir });
	return connectRunner(isAbsolute(runner.socket) ? runner.socket : join(dir, runner.socket));
}
