/** Where the things of an agent lie below its folder. Pure. */
import { isAbsolute, join, relative } from 'node:path';
import { KnownError } from '../../contract/error.ts';

export interface Layout {
	readonly dir: string;
	readonly config: string;
	readonly policy: string;
	readonly keys: string;
	readonly tls: string;
	readonly units: string;
	readonly state: string;
	readonly run: string;
	/** Where the command line talks to the running agent. */
	readonly socket: string;
}

export const layoutOf = (dir: string): Layout => ({
	dir,
	config: join(dir, 'config.yaml'),
	policy: join(dir, 'policy.yaml'),
	keys: join(dir, 'keys'),
	tls: join(dir, 'tls'),
	units: join(dir, 'units'),
	state: join(dir, 'state'),
	run: join(dir, 'run'),
	socket: join(dir, 'run', 'agent.sock'),
});

/** A file that the configuration names; one outside the folder is named by its whole path, and only where that is allowed. */
export function inside(dir: string, file: string): string {
	const path = isAbsolute(file) ? file : join(dir, file);
	const way = relative(dir, path);
	if (way.startsWith('..') || isAbsolute(way))
		throw new KnownError('CONFIG_INVALID', { details: `${file} lies outside the folder of the agent` });
	return path;
}
