/** Stands in for n8n: the context a node is called with, and the module folders that n8n puts on NODE_PATH. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { IExecuteFunctions, INode, INodeExecutionData, INodeProperties, ISupplyDataFunctions } from 'n8n-workflow';
import type { FileSettings } from '../../nodes/SecureCode/file-settings.ts';
import type { NodeResult } from '../../nodes/shared/deliver-files.ts';
import type { JobRequest, JobResult } from '../../src/contract/job.ts';
import type { Executor, JobContext } from '../../src/core/ports.ts';

interface ContextOptions {
	/** What the model passed, as the engine spreads it: a bare string becomes an object of its units. */
	args?: object;
	/** Instead of the defaults of `properties`; a function is an expression that n8n evaluates for each item. */
	parameters?: Record<string, unknown>;
	properties: INodeProperties[];
	items?: INodeExecutionData[];
	signal?: AbortSignal;
	continueOnFail?: boolean;
	/** The text of each credential of the node, decrypted. */
	secrets?: Record<string, string>;
	/** Other credentials of the node by type, decrypted. */
	credentials?: Record<string, Record<string, unknown>>;
	executionId?: string;
	/** What nodes that ran before gave. */
	others?: Record<string, INodeExecutionData[]>;
	/** What n8n keeps outside of items, by id. */
	stored?: Record<string, Buffer>;
}

/** An author who gives no files and takes none. */
export const noFiles: FileSettings = {
	from: 'none',
	properties: [],
	mode: 'always',
	dataFrom: 'none',
	isReturned: true,
	linkHours: undefined,
};

type Parameter = string | number | boolean | object;

/** Reads like n8n: raw values are the stored ones, everything else is evaluated, and what is hidden has no value. */
function parameterReader({ properties, parameters = {} }: ContextOptions) {
	const stored: Record<string, unknown> = {
		...Object.fromEntries(properties.map((property) => [property.name, property.default])),
		...parameters,
	};
	return (name: string, itemIndex: number, fallback?: Parameter, options?: { rawExpressions?: boolean }) => {
		const value = stored[name] ?? fallback;
		if (typeof value !== 'function') return value;
		return options?.rawExpressions === true ? '={{ $json.value }}' : value(itemIndex);
	};
}

export function fakeContext(options: ContextOptions) {
	const kept: Record<string, Buffer> = { ...options.stored };
	const seen = {
		kept,
		hints: [] as unknown[],
		logs: [] as unknown[],
		inputs: [] as unknown[],
		outputs: [] as unknown[],
	};
	const log = (level: string) => (message: string, data: unknown) => void seen.logs.push({ level, message, data });
	const context = {
		getNode: (): INode => ({
			id: '1',
			name: 'My Tool!',
			type: 'n8n-nodes-secure-code.secureCodeTool',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
			credentials: Object.fromEntries(
				Object.keys({ ...options.secrets, ...options.credentials }).map((type) => [type, { id: '1', name: type }]),
			),
		}),
		getCredentials: async (type: string) => options.credentials?.[type] ?? { secrets: options.secrets?.[type] },
		getWorkflow: () => ({ id: 'w1' }),
		getInstanceId: () => 'i1',
		getMode: () => 'trigger',
		getExecutionId: () => options.executionId ?? 'e1',
		// There is one input, so that whoever takes the index of an item for that of an input finds nothing.
		getInputData: (inputIndex = 0) =>
			inputIndex === 0
				? (options.items ?? [{ json: { code: 'from the agent item', files: ['from the agent item'] } }])
				: [],
		getNodeParameter: parameterReader(options),
		getWorkflowDataProxy: () => ({
			$fromAI: (name: string) => (options.args as Record<string, unknown>)?.[name] ?? undefined,
			$: (node: string) => ({
				all: () => {
					const items = options.others?.[node];
					if (items === undefined) throw new Error(`${node} has not been executed`);
					return items;
				},
			}),
		}),
		helpers: {
			getBinaryStream: async (id: string) => Readable.from([kept[id] ?? Buffer.alloc(0)]),
			prepareBinaryData: async (content: Readable, fileName: string, mimeType: string) => {
				const id = `kept:${fileName}`;
				kept[id] = await buffer(content);
				return { id, fileName, mimeType, data: 'filesystem' };
			},
			createBinarySignedUrl: ({ id }: { id: string }, lifetime: string) => `https://n8n.example/${id}?for=${lifetime}`,
		},
		getExecutionCancelSignal: () => options.signal,
		continueOnFail: () => options.continueOnFail ?? false,
		addExecutionHints: (...hints: unknown[]) => void seen.hints.push(...hints),
		addInputData: (_type: string, data: unknown) => ({ index: seen.inputs.push(data) - 1 }),
		addOutputData: (_type: string, index: number, data: unknown) => void seen.outputs.push({ index, data }),
		logger: { info: log('info'), debug: log('debug'), warn: log('warn'), error: log('error') },
	};
	return { ...seen, context: context as unknown as IExecuteFunctions & ISupplyDataFunctions };
}

/** A program that left no files, so that it is the same for the core and for the nodes. */
export const succeeded: JobResult & NodeResult = {
	status: 'succeeded',
	exitCode: 0,
	signal: null,
	stdout: '45\n',
	stderr: '',
	truncated: { stdout: false, stderr: false },
	durationMs: 21.4,
	cpuMs: 14,
	peakMemoryBytes: 9 * 1024 * 1024,
	queuedMs: 0,
	language: 'python',
	backend: 'nsjail',
	tier: 'full',
	start: 'cold',
	findings: [],
	files: [],
	problem: null,
};

const executorKey = Symbol.for('n8n-nodes-secure-code.executor');

/** Takes the place of this process's executor and keeps what it was asked. */
export function useFakeExecutor(answer: (request: JobRequest) => Promise<JobResult>) {
	const jobs: { request: JobRequest; context: JobContext | undefined }[] = [];
	const executor: Executor = {
		run: async (request, context) => {
			jobs.push({ request, context });
			return await answer(request);
		},
		settle: async () => {},
		close: async () => {},
	};
	Reflect.set(globalThis, executorKey, executor);
	return jobs;
}

/**
 * Lays out what n8n has: n8n-core beside zod 3 and LangChain, in a folder on NODE_PATH. This repository plays the part of
 * the folder with a foreign zod, because its own is zod 4.
 */
export function useN8nModules(): string {
	const modules = join(mkdtempSync(join(tmpdir(), 'n8n-modules-')), 'node_modules');
	mkdirSync(join(modules, 'n8n-core'), { recursive: true });
	mkdirSync(join(modules, '@langchain'));
	writeFileSync(join(modules, 'n8n-core', 'index.js'), '');
	symlinkSync(resolve('node_modules/zod3'), join(modules, 'zod'));
	symlinkSync(resolve('node_modules/@langchain/core'), join(modules, '@langchain', 'core'));
	process.env.NODE_PATH = modules;
	(Module as unknown as { _initPaths(): void })._initPaths();
	return modules;
}
