/** Secure Code as a tool for agents. */
import type { ISupplyDataFunctions } from 'n8n-workflow';
import { packagesOf } from '../shared/executor.ts';
import { offerTool } from '../shared/offer-tool.ts';
import { filesFor } from './files-in.ts';
import { argumentNames } from './model-arguments.ts';
import { runTool } from './run-tool.ts';
import { readSettings } from './settings.ts';
import { describeTool } from './tool-description.ts';
import { toolSchema } from './tool-schema.ts';

export async function offerSecureCode(context: ISupplyDataFunctions, itemIndex: number): Promise<unknown> {
	return await offerTool(context, itemIndex, async (z) => {
		const settings = readSettings(context, itemIndex);
		const packages = await packagesOf(settings.bundle);
		const files = filesFor(context, itemIndex, settings.files, argumentNames);
		return {
			description: describeTool(
				context.getNodeParameter('toolDescription', itemIndex) as string,
				settings,
				files,
				packages,
			),
			schema: toolSchema(z, settings),
			run: (raw) => runTool(context, raw, itemIndex),
		};
	});
}
