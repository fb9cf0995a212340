/** Whether everything that a program opens by a known name lies where it may write, so that it can only be its own. */
import type { Fact } from '../facts.ts';
import { normalisePath } from '../values/fold-paths.ts';
import { knownTexts } from '../values/value.ts';

export function isOwnFile(facts: readonly Fact[]): boolean {
	return facts.every((fact) => {
		if (fact.kind !== 'call' || fact.path !== 'builtins.open') return true;
		return knownTexts(fact.args[0] ?? []).every((name) => /^\/(work(?!\/in\/)|tmp)\//.test(normalisePath(name)));
	});
}
