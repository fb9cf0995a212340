/** Remote Shell as a tool for agents. */
import { randomUUID } from 'node:crypto';
import type { ISupplyDataFunctions } from 'n8n-workflow';
import { offerTool } from '../shared/offer-tool.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { readOperation } from './operations.ts';
import { runTool } from './run-tool.ts';
import { readSettings, type Settings } from './settings.ts';
import { describeTool } from './tool-description.ts';
import { toolSchema } from './tool-schema.ts';

/** Devices come from the credential, so they are read before the tool is described. */
export async function offerRemoteShell(context: ISupplyDataFunctions, itemIndex: number): Promise<unknown> {
	const settings: Settings = await readSettings(context, itemIndex).catch((error: unknown) => {
		throw toNodeError(context, error, itemIndex);
	});
	return offerTool(context, itemIndex, (z) => {
		const operation = readOperation(context, itemIndex);
		return {
			description: describeTool(context.getNodeParameter('toolDescription', itemIndex) as string, settings, operation),
			schema: toolSchema(z, settings, operation),
			// One run of the node serves all calls of the agent, and nothing tries one of them again.
			run: async (raw) => ({ result: await runTool(context, { raw, call: randomUUID() }, itemIndex) }),
		};
	});
}
