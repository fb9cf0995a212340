/** The tool object that an agent is given: name, words, schema, and the function that older agents call. */
import {
	type IDataObject,
	type ISupplyDataFunctions,
	NodeConnectionTypes,
	type NodeOperationError,
	nodeNameToToolName,
} from 'n8n-workflow';
import { host } from '../shared/host.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { runTool } from './run-tool.ts';
import { readSettings } from './settings.ts';
import { describeTool } from './tool-description.ts';
import { toolSchema } from './tool-schema.ts';

const toJson = (raw: unknown): IDataObject =>
	typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as IDataObject) : { input: raw as string };

/** An exception here would fail the whole workflow of older agents; the node is red in the log either way. */
async function answerCall(context: ISupplyDataFunctions, raw: unknown, itemIndex: number): Promise<string> {
	const { index } = context.addInputData(NodeConnectionTypes.AiTool, [[{ json: toJson(raw) }]]);
	try {
		const result = await runTool(context, raw, itemIndex);
		context.addOutputData(NodeConnectionTypes.AiTool, index, [[{ json: result as unknown as IDataObject }]]);
		return JSON.stringify(result);
	} catch (error) {
		const fault = error as NodeOperationError;
		context.addOutputData(NodeConnectionTypes.AiTool, index, fault);
		return JSON.stringify({ error: fault.message });
	}
}

export function offerTool(context: ISupplyDataFunctions, itemIndex: number): unknown {
	try {
		const { z, DynamicStructuredTool } = host();
		const settings = readSettings(context, itemIndex);
		const text = context.getNodeParameter('toolDescription', itemIndex) as string;
		return new DynamicStructuredTool({
			name: nodeNameToToolName(context.getNode()),
			description: describeTool(text, settings),
			schema: toolSchema(z, settings),
			func: async (raw: unknown) => await answerCall(context, raw, itemIndex),
		});
	} catch (error) {
		throw toNodeError(context, error, itemIndex);
	}
}
