/** secure-code agent: the device agent. Its code is a bundle of its own, so that the other commands stay light. */
import type { CommandGroup } from '../command.ts';
import { keepCode, startLean } from '../lean-start.ts';

const overview = `Runs commands that others send to this machine: by policy, in a jail, with an audit.

Usage: secure-code agent COMMAND [flags]

  init       make an agent: configuration, policy, keys, certificate, units
  serve      run it
  exec       run its exec side, which runs the commands as another user
  keys       make, list and take back the keys of those who may talk to it
  enroll     let somebody register a key of his own with a token that is good once
  jobs       show what it did and does, and end what should not go on
  approvals  what waits for a person, and the answers
  policy     what the policy says to a command, and whether it says what it should
  doctor     say whether the agent is safe and can work, and what to mend (also: --self-test)

"secure-code agent COMMAND --help" explains each.
`;

export const agent: CommandGroup = {
	overview,
	async load(args) {
		if (args[0] === 'serve') startLean(args);
		if (args[0] === 'init') keepCode(args);
		return (await import('./agent-commands.ts')).agentCommands;
	},
};
