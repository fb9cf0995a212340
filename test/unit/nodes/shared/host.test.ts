import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z as foreign } from 'zod';
import { host } from '../../../../nodes/shared/host.ts';
import { useN8nModules } from '../../../helpers/n8n.ts';

describe('host', () => {
	let n8n: NodeJS.Require;
	beforeAll(() => {
		expect(() => host()).toThrow("Cannot find module 'n8n-core'");
		n8n = createRequire(join(useN8nModules(), 'n8n-core', 'index.js'));
	});

	it("takes n8n's zod although another one lies beside the package", () => {
		expect(host().z).toBe(n8n('zod').z);
		expect(host().z).not.toBe(foreign);
	});

	it("takes n8n's LangChain", () => {
		expect(host().DynamicStructuredTool).toBe(n8n('@langchain/core/tools').DynamicStructuredTool);
	});

	it('searches once', () => {
		expect(host()).toBe(host());
	});
});
