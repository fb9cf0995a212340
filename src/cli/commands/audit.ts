/** secure-code audit: what an agent wrote about itself. Its code lies in the bundle of the agent and is loaded when it is wanted, SQLite with it. */
import type { CommandGroup } from '../command.ts';

const overview = `Reads the audit of a device agent, also while the agent runs.

Usage: secure-code audit COMMAND [flags]

  verify     find rows that were changed, deleted, swapped or cut off
  export     write all rows as JSON lines or CSV
  tail       show the last rows, and those that come

"secure-code audit COMMAND --help" explains each.
`;

export const audit: CommandGroup = {
	overview,
	load: async () => (await import('./agent-commands.ts')).auditCommands,
};
