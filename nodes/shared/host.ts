/** n8n's own zod and LangChain, so that no copy beside this package answers in their place. */
import { createRequire } from 'node:module';
import type { DynamicStructuredTool } from '@langchain/core/tools';
import type { z } from 'zod/v3';

export type Zod = typeof z;

interface Host {
	readonly z: Zod;
	readonly DynamicStructuredTool: typeof DynamicStructuredTool;
}

let found: Host | undefined;

/**
 * n8n puts its module folders on NODE_PATH, but a zod installed next to this package would win over them, and n8n
 * offers a schema made with a foreign zod as garbage. A search that starts outside every package can only meet NODE_PATH.
 */
export function host(): Host {
	if (found === undefined) {
		const n8nCore = createRequire('/outside.js').resolve('n8n-core');
		const require = createRequire(n8nCore);
		found = { z: require('zod').z, DynamicStructuredTool: require('@langchain/core/tools').DynamicStructuredTool };
	}
	return found;
}

/** What n8n signs its own links with, known to each of its processes and to no browser; undefined outside n8n. */
export const instanceSecret = (): string | undefined => instanceSetting('hmacSignatureSecret');

/** What n8n encrypts its credentials with, the same in each of its processes; undefined outside n8n. */
export const encryptionKey = (): string | undefined => instanceSetting('encryptionKey');

function instanceSetting(name: 'hmacSignatureSecret' | 'encryptionKey'): string | undefined {
	try {
		const n8nCore = createRequire('/outside.js').resolve('n8n-core');
		const require = createRequire(n8nCore);
		const secret: unknown = require('@n8n/di').Container.get(require('n8n-core').InstanceSettings)[name];
		return typeof secret === 'string' && secret !== '' ? secret : undefined;
	} catch {
		return undefined;
	}
}
