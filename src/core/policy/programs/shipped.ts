/** Sets of programs that come with the agent. Pure. */
import type { ProgramInput } from '../schema.ts';

export const shippedPrograms: Readonly<Record<string, readonly ProgramInput[]>> = {
	'read-only': [{ name: 'ls', flags: '-l -a', positionals: 'path*' }],
};
