/** Questions to a policy, as an executor asks them. */
import type { Question } from '../../src/core/policy/decide.ts';

/** @param command a text is a script, a list the words of a command */
export const questionOf = (capability: string, command: string | string[], more: Partial<Question> = {}): Question => ({
	principal: { roles: ['executor'], capabilities: ['*'] },
	capability,
	command:
		typeof command === 'string' ? { mode: 'script', script: command, shell: 'auto' } : { mode: 'argv', argv: command },
	env: {},
	deviceId: 'd',
	...more,
});
