import { describe, expect, it } from 'vitest';
import { problemFor } from '../../../src/contract/error.ts';
import { explainMissingModule, missingModule } from '../../../src/core/missing-module.ts';
import { succeeded } from '../../helpers/n8n.ts';

const python = "Traceback (most recent call last):\nModuleNotFoundError: No module named 'sklearn.linear_model'\n";
const node = "Error: Cannot find module 'lodash/fp'\nRequire stack:\n- /code/main.js\n";

describe('missingModule', () => {
	it.each([
		['python', python, 'sklearn'],
		['javascript', node, 'lodash'],
		['javascript', "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@a/b' imported from /code/main.js", '@a/b'],
		['javascript', "Cannot find module './mine'", undefined],
		['bash', python, undefined],
		['python', 'ValueError: 7', undefined],
	])('reads what %s says', (language, stderr, module) => {
		expect(missingModule(language, stderr)).toBe(module);
	});
});

describe('a program that found no module', () => {
	const failed = { ...succeeded, status: 'failed', exitCode: 1, stderr: python } as const;
	const remedyOf = (bundles: readonly string[], result: Parameters<typeof explainMissingModule>[0] = failed) =>
		explainMissingModule(result, () => bundles).problem;

	it('is told which bundle has it', () => {
		const remedy =
			'The bundle "data" or "ml" has it: the author can choose it in the node ("Packages") or with --bundle.';
		expect(remedyOf(['data', 'ml'])).toEqual(problemFor('MODULE_MISSING', { module: 'sklearn', remedy }));
	});

	it('is told which command would bring it, under the name that its package has', () => {
		const remedy = 'The operator can add it: secure-code packages add scikit-learn.';
		expect(remedyOf([])).toEqual(problemFor('MODULE_MISSING', { module: 'sklearn', remedy }));
		expect(remedyOf([], { ...failed, language: 'javascript', stderr: node })?.message).toContain(
			'secure-code packages add --language javascript lodash.',
		);
	});

	it('is told nothing when it worked all the same, or when there is something else to say', () => {
		expect(remedyOf([], { ...failed, status: 'succeeded' })).toBeNull();
		const problem = problemFor('NETWORK_OFF');
		expect(remedyOf([], { ...failed, problem })).toEqual(problem);
	});

	it('is not told to add what needs a screen', () => {
		const problem = remedyOf([], { ...failed, stderr: "ModuleNotFoundError: No module named 'tkinter'" });
		expect([problem?.message.includes('no screen'), problem?.message.includes('packages add')]).toEqual([true, false]);
	});
});
