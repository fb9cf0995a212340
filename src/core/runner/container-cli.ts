/** Asks docker or podman through their command line; nothing of a job is in the environment of that. */

import { type CommandOutput, runCommand } from '../host/process.ts';
import { findProgram } from '../sandbox/runtimes/find.ts';

export type ContainerEngine = 'docker' | 'podman';

/** Where the engine is and what it keeps, as the operator set it for the agent. */
const kept = [
	...['HOME', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'DOCKER_HOST', 'DOCKER_CONFIG', 'DOCKER_CONTEXT'],
	...['DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY', 'CONTAINER_HOST', 'CONTAINERS_CONF', 'CONTAINERS_STORAGE_CONF'],
];

const askMs = 30_000;

export function cliEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
	const own = kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
	return { ...Object.fromEntries(own), PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
}

export const findEngine = (engine: ContainerEngine): Promise<string | undefined> => findProgram(engine);

export const ask = (program: string, words: readonly string[]): Promise<CommandOutput> =>
	runCommand(program, words, { env: cliEnvironment(), timeoutMs: askMs });
