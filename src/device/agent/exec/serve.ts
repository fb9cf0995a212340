/** Runs the exec side of an agent until a signal says stop. What jobs may do is read here, from a policy of its own. */
import { createRunner } from '../../../core/runner/create-runner.ts';
import type { Runner } from '../../../core/runner/runner.ts';
import type { AgentLog } from '../log.ts';
import { readPolicy } from '../policy-book.ts';
import { openExecServer } from './server.ts';

export interface ExecOptions {
	readonly socketPath: string;
	/** The policy with the profiles: a file that neither the front nor a job can change. */
	readonly policyPath: string;
	/** Folder of this side, which no job sees. */
	readonly dir: string;
	/** Further paths that no job may see. */
	readonly masks: readonly string[];
	readonly allowsExposed?: boolean;
	readonly log: AgentLog;
}

export interface ExecSide {
	/** Reads the policy again; one that is not valid changes nothing. */
	reload(): void;
	close(): Promise<void>;
}

function runnerFor({ policyPath, dir, masks, allowsExposed }: ExecOptions): Runner {
	const place = { path: policyPath, dir, ...(allowsExposed !== undefined && { allowsExposed }) };
	return createRunner({ profiles: readPolicy(place).profiles, dir, masks });
}

/** Throws what keeps it from starting: a policy that does not hold or that others can change, a folder that is open. */
export async function openExecSide(options: ExecOptions): Promise<ExecSide> {
	const { socketPath, log } = options;
	const runners = [runnerFor(options)];
	const current = () => runners.at(-1) as Runner;
	const server = await openExecServer({ socketPath, log, runner: current });
	return {
		reload: () => {
			runners.push(runnerFor(options));
		},
		close: async () => {
			await server.close();
			await Promise.all(runners.map((runner) => runner.close()));
		},
	};
}

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

/** @returns the exit code, when everything that ran is gone */
export async function serveExec(options: ExecOptions): Promise<number> {
	// Whatever is made from here on is for this user alone.
	process.umask(0o077);
	const { log } = options;
	const stopped = new Promise<void>((resolve) => {
		for (const name of stopSignals) process.on(name, () => resolve());
	});
	const side = await openExecSide(options);
	process.on('SIGHUP', () => reload(side, log));
	log.info({ pid: process.pid, socket: options.socketPath }, 'ready');
	await stopped;
	log.info({}, 'stopping');
	await side.close();
	log.info({}, 'stopped');
	await log.close();
	return 0;
}

function reload(side: ExecSide, log: AgentLog): void {
	try {
		side.reload();
		log.info({}, 'the policy was loaded');
	} catch (error) {
		log.error({ error: (error as Error).message }, 'the policy could not be loaded; the old one stays');
	}
}
