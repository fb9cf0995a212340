/** Serves a folder until a signal says stop: one agent per folder, SIGHUP reloads, a second signal ends at once. */
import { Agent, type AgentOptions } from './agent.ts';
import { createLog } from './log.ts';

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

/** Exit code of a process that had no time to end its jobs. */
const hardStop = 1;
const bug = 70;

export interface ServeOptions extends Omit<AgentOptions, 'createLog'> {
	/** Hears when the agent listens. */
	onReady?(): void;
}

/** @returns the exit code, when the agent has stopped */
export async function serve(options: ServeOptions): Promise<number> {
	// Whatever is made from here on is for this user alone.
	process.umask(0o077);
	const signals = new Signals();
	const agent = await Agent.start({ ...options, createLog });
	agent.log.info({ pid: process.pid, listeners: agent.listeners }, 'ready');
	options.onReady?.();
	return untilStopped(agent, signals);
}

/** Heard from the first moment on: one that comes while the agent starts is obeyed when it has. */
class Signals {
	#stop: (code: number) => void = () => {};
	/** Resolves with the exit code when the agent is to stop. */
	readonly stopped = new Promise<number>((resolve) => {
		this.#stop = resolve;
	});
	#count = 0;
	reload: () => void = () => {};
	leave: () => void = () => {};

	constructor() {
		for (const name of stopSignals) process.on(name, () => this.#told());
		process.on('SIGHUP', () => this.reload());
	}

	stop(code: number): void {
		this.#stop(code);
	}

	#told(): void {
		this.#count++;
		if (this.#count > 1) this.leave();
		this.#stop(0);
	}
}

async function untilStopped(agent: Agent, signals: Signals): Promise<number> {
	signals.reload = () => void agent.reload();
	signals.leave = () => {
		agent.log.warn({}, 'stopped at once');
		void agent.log.close().finally(() => process.exit(hardStop));
	};
	process.on('unhandledRejection', (error) => report(agent, error));
	process.on('uncaughtException', (error) => {
		report(agent, error);
		signals.stop(bug);
	});
	const code = await signals.stopped;
	agent.log.info({}, 'stopping');
	await agent.stop();
	agent.log.info({}, 'stopped');
	await agent.log.close();
	return code;
}

function report(agent: Agent, error: unknown): void {
	agent.log.error(
		{ stack: (error as Error | undefined)?.stack ?? String(error) },
		'a bug: nobody waited for this failure',
	);
}
