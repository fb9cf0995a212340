import { createRequire } from 'node:module';
import { join } from 'node:path';
import { toJsonSchema } from '@langchain/core/utils/json_schema';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../../../nodes/SecureCode/settings.ts';
import { toolSchema } from '../../../../nodes/SecureCode/tool-schema.ts';
import { host, type Zod } from '../../../../nodes/shared/host.ts';
import { noFiles, useN8nModules } from '../../../helpers/n8n.ts';

const settings: Settings = {
	language: 'auto',
	timeoutMs: 20_000,
	memoryBytes: 64 * 1024 * 1024,
	codeCharacters: 1000,
	network: 'none',
	check: true,
	checkPolicy: {},
	files: noFiles,
	bundle: 'default',
	isStreamed: false,
	isWarm: true,
	preload: [],
};

const offered = {
	type: 'object',
	properties: {
		code: {
			type: 'string',
			minLength: 1,
			maxLength: 1000,
			description: 'The whole program. Print what you want to see.',
		},
		language: {
			type: 'string',
			enum: ['auto', 'python', 'javascript', 'bash'],
			description: 'The language of the code; recognised when left out.',
		},
		maxTime: { type: 'number', minimum: 1, maximum: 20, description: 'Stop the program after this many seconds.' },
		maxMemory: {
			type: 'number',
			minimum: 16,
			maximum: 64,
			description: 'Stop the program when it needs more than this many MB.',
		},
	},
	required: ['code'],
	additionalProperties: false,
};

describe('toolSchema', () => {
	let z: Zod;
	beforeAll(() => {
		z = createRequire(join(useN8nModules(), 'n8n-core', 'index.js'))('zod').z;
	});

	it("is made with n8n's own zod and offers the model one plain object within the limits of the author", () => {
		const schema = toolSchema(host().z, settings);
		expect(schema).toBeInstanceOf(z.ZodType);
		expect(toJsonSchema(schema as never)).toEqual({ ...offered, $schema: 'http://json-schema.org/draft-07/schema#' });
	});

	it('stays whole and required when the human-review gate wraps it', () => {
		const wrapped = z.object({ toolParameters: toolSchema(host().z, settings), hitlParameters: z.object({}) });
		expect(toJsonSchema(wrapped as never)).toMatchObject({
			properties: { toolParameters: offered },
			required: ['toolParameters', 'hitlParameters'],
		});
	});

	it.each([
		['a bare string', 'print(1)', { code: 'print(1)' }],
		['another name for code', { query: 'print(1)' }, { code: 'print(1)' }],
		['arguments of the wrong kind', { code: 7, maxTime: 'soon' }, { code: 7, maxTime: 'soon' }],
		['more than the author allows', { code: 'a', maxTime: 300 }, { code: 'a', maxTime: 300 }],
		['arguments it does not offer', { code: 'a', credentials: [{ a: 1 }] }, { code: 'a', credentials: [{ a: 1 }] }],
	])('lets %s through, so that the answer can tell the model what to repair', (_what, raw, call) => {
		expect(toolSchema(host().z, settings).parse(raw)).toEqual(call);
	});
});
