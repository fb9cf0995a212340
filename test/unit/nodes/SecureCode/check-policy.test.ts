import { describe, expect, it } from 'vitest';
import { readCheckPolicy } from '../../../../nodes/SecureCode/check-policy.ts';
import type { NodeContext } from '../../../../nodes/shared/context.ts';

const contextWith = (options: object) =>
	({ getNodeParameter: () => options, getNode: () => ({ name: 'Tool', parameters: {} }) }) as unknown as NodeContext;

describe('readCheckPolicy', () => {
	it('changes nothing where no option was added', () => {
		expect(readCheckPolicy(contextWith({}), 0)).toEqual({});
	});

	it('reads every option into the shape that flags and files have, too', () => {
		const options = {
			allowSubprocess: true,
			allowWorkers: true,
			readDeny: '/work/in/a.csv, /work/in/b.csv',
			severities: '',
			onSyntaxError: 'warn',
			findings: 'warn',
			writableRoots: '/work',
		};
		expect(readCheckPolicy(contextWith({ ...options, severities: 'PY-DESER=warn,BASH-PRIV=off' }), 0)).toEqual({
			allowSubprocess: true,
			allowWorkers: true,
			readDeny: ['/work/in/a.csv', '/work/in/b.csv'],
			severities: { 'PY-DESER': 'warn', 'BASH-PRIV': 'off' },
			onSyntaxError: 'warn',
			warnOnly: true,
			writableRoots: ['/work'],
		});
	});

	it.each([
		[{ severities: 'PY-EXEC=maybe' }, 'Rule Severities'],
		[{ severities: 'py=off' }, 'Rule Severities'],
		[{ onSyntaxError: 'off' }, 'Syntax Errors'],
		[{ findings: '' }, 'What Findings Do'],
		[{ __proto__x: 1 }, '__proto__x'],
	])('is for the author to mend when it says %j', (options, named) => {
		expect(() => readCheckPolicy(contextWith(options), 0)).toThrow(named);
	});

	it('refuses an expression anywhere in it', () => {
		expect(() => readCheckPolicy(contextWith({ severities: '={{ $json.s }}' }), 0)).toThrow('fixed value');
	});
});
