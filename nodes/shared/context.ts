/** What a node is called with: as a step or by an engine request, or to hand a tool to an agent. */
import type { IExecuteFunctions, ISupplyDataFunctions } from 'n8n-workflow';

export type NodeContext = IExecuteFunctions | ISupplyDataFunctions;
