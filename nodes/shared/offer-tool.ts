/** The tool object that an agent is given: name, words, schema, and the function that older agents call. */
import {
	type IBinaryKeyData,
	type IDataObject,
	type ISupplyDataFunctions,
	NodeConnectionTypes,
	type NodeOperationError,
	nodeNameToToolName,
} from 'n8n-workflow';
import { host, type Zod } from './host.ts';
import { toNodeError } from './to-node-error.ts';

/** What tells one tool from another. */
export interface Offer {
	readonly description: string;
	readonly schema: ReturnType<Zod['preprocess']>;
	/** Throws only what a person must repair, as the error of the node. */
	readonly run: (raw: unknown) => Promise<ToolAnswer>;
}

export interface ToolAnswer {
	readonly result: object;
	readonly binary?: IBinaryKeyData;
}

const toJson = (raw: unknown): IDataObject =>
	typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as IDataObject) : { input: raw as string };

/** An exception here would fail the whole workflow of older agents; the node is red in the log either way. */
async function answerCall(context: ISupplyDataFunctions, raw: unknown, run: Offer['run']): Promise<string> {
	const { index } = context.addInputData(NodeConnectionTypes.AiTool, [[{ json: toJson(raw) }]]);
	try {
		const { result, binary = {} } = await run(raw);
		const item = { json: result as IDataObject, ...(Object.keys(binary).length > 0 ? { binary } : {}) };
		context.addOutputData(NodeConnectionTypes.AiTool, index, [[item]]);
		return JSON.stringify(result);
	} catch (error) {
		const fault = error as NodeOperationError;
		context.addOutputData(NodeConnectionTypes.AiTool, index, fault);
		return JSON.stringify({ error: fault.message });
	}
}

export async function offerTool(
	context: ISupplyDataFunctions,
	itemIndex: number,
	describe: (z: Zod) => Offer | Promise<Offer>,
): Promise<unknown> {
	try {
		const { z, DynamicStructuredTool } = host();
		const { description, schema, run } = await describe(z);
		return new DynamicStructuredTool({
			name: nodeNameToToolName(context.getNode()),
			description,
			schema,
			func: async (raw: unknown) => await answerCall(context, raw, run),
		});
	} catch (error) {
		throw toNodeError(context, error, itemIndex);
	}
}
