import { describe, expect, it } from 'vitest';
import { decide } from '../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';
import { questionOf } from '../../../helpers/question.ts';

const sha256 = 'a'.repeat(64);
const policy = loadPolicy(`
version: 1
name: pinned
profiles: { jail: {} }
programs:
  - { name: tool, path: /opt/tool, sha256: ${sha256}, flags: "-v" }
  - { name: other, path: /opt/other }
  - { name: timeout, positionals: "duration command" }
  - { name: echo, positionals: "text*", readsNoFlags: true }
  - { name: exit, isBuiltin: true, positionals: "integer?" }
capabilities: { shell.run: { profile: jail, programs: "*" } }
`);

const ask = (command: string | string[]) => decide(policy, questionOf('shell.run', command));

describe('what runs', () => {
	it('is started where the policy says it lies, with the content that the policy knows', () => {
		const plan = { mode: 'argv', argv: ['/opt/tool', '-v'], pins: [{ path: '/opt/tool', sha256 }] };
		expect([ask(['tool', '-v']).plan, ask('tool -v').plan, ask('/opt/tool -v').plan]).toEqual([plan, plan, plan]);
	});

	it('is named by its whole path in a script, too', () => {
		expect(ask('tool -v | echo x; other').plan).toEqual({
			mode: 'script',
			script: "'/opt/tool' '-v' | 'echo' 'x'\n'/opt/other'\n",
			shell: 'bash',
			pins: [{ path: '/opt/tool', sha256 }],
		});
	});

	it('is not started by another command, and not from another place', () => {
		const decisions = ['timeout 5 tool -v', '/tmp/tool -v', '/opt/../opt/tool'].map((command) => ask(command).decision);
		expect(decisions).toEqual(['deny', 'deny', 'deny']);
	});

	it('is a script where a part of the shell is asked for', () => {
		expect(ask('exit 3').plan).toEqual({ mode: 'script', script: "'exit' '3'\n", shell: 'bash' });
		expect(ask(['exit', '3']).decision).toBe('deny');
	});
});
