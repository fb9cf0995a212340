/** Which folder "secure-code agent" works on. */
import { join, resolve } from 'node:path';
import { dataHome } from '../core/host/folders.ts';
import { text, type Values } from './flag-table.ts';

export const dirFlag = {
	dir: { type: 'string', short: 'd', value: 'D', help: 'folder of the agent (default: "agent" in the data folder)' },
} as const;

export const agentFolder = (values: Values): string => resolve(text(values, 'dir') ?? join(dataHome(), 'agent'));
