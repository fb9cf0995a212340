/** Secure Code as a tool for agents. */
import type { ISupplyDataFunctions } from 'n8n-workflow';
import { offerTool } from '../shared/offer-tool.ts';
import { filesFor } from './files-in.ts';
import { argumentNames } from './model-arguments.ts';
import { runTool } from './run-tool.ts';
import { readSettings } from './settings.ts';
import { describeTool } from './tool-description.ts';
import { toolSchema } from './tool-schema.ts';

export const offerSecureCode = (context: ISupplyDataFunctions, itemIndex: number): unknown =>
	offerTool(context, itemIndex, (z) => {
		const settings = readSettings(context, itemIndex);
		const files = filesFor(context, itemIndex, settings.files, argumentNames);
		return {
			description: describeTool(context.getNodeParameter('toolDescription', itemIndex) as string, settings, files),
			schema: toolSchema(z, settings),
			run: (raw) => runTool(context, raw, itemIndex),
		};
	});
