/** Reads what a model passed to a tool, and nothing that lies in the item of the agent. */
import { limits } from '../../src/contract/limits.ts';
import type { NodeContext } from './context.ts';

type FromAi = (name: string) => unknown;

/** An agent spreads a bare string over the item, one UTF-16 unit for each number; more than the ceiling is refused anyway. */
function joinUnits(fromAi: FromAi): string {
	let text = '';
	for (let index = 0; index <= limits.codeCharacters.ceiling; index++) {
		const unit = fromAi(String(index));
		if (typeof unit !== 'string') break;
		text += unit;
	}
	return text;
}

/** Reads only what the model passed: the input item is the agent's own, with the model's arguments spread over it. */
export function readFromAi(context: NodeContext, itemIndex: number, names: readonly string[]): unknown {
	const fromAi = context.getWorkflowDataProxy(itemIndex).$fromAI as FromAi;
	const passed = names.map((name) => [name, fromAi(name)]).filter(([, value]) => value !== undefined);
	return passed.length > 0 ? Object.fromEntries(passed) : joinUnits(fromAi);
}
