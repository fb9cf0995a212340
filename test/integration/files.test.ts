/** Files of a chat go into the sandbox, and what a program leaves comes back to the user. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { ranWith, runsOf, stepItems, toolResults } from './helpers/results.ts';
import { call } from './helpers/scripted-model.ts';
import { chatAgent, link, manualAgent, node, stepNode, stepWorkflow, toolNode } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

const sales = { name: 'sales.csv', type: 'text/csv', content: 'month,amount\nJan,3\nFeb,5\n' };

/** A picture of two points without any library. */
const drawProgram = `
import csv, struct, zlib
rows = list(csv.DictReader(open('/work/in/sales.csv')))
raw = b''.join(b'\\0' + bytes([int(row['amount'])] * 3) for row in rows)
def part(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
header = struct.pack('>IIBBBBB', 1, len(rows), 8, 2, 0, 0, 0)
with open('/work/out/chart.png', 'wb') as out:
    out.write(b'\\x89PNG\\r\\n\\x1a\\n' + part(b'IHDR', header) + part(b'IDAT', zlib.compress(raw)) + part(b'IEND', b''))
open('/work/out/total.txt', 'w').write(str(sum(int(row['amount']) for row in rows)))
`;

interface Linked {
	readonly name: string;
	readonly link: string;
}

const filesOf = (result: unknown): Linked[] => (result as { files: Linked[] }).files;

test.each([3.1, 2.2])('a table that is dropped into a chat comes back as a picture, with agent %d', async (version) => {
	const webhookId = crypto.randomUUID();
	const agent = chatAgent(webhookId, { credential: bench.credential, uploads: true, version });
	const workflow = await bench.client.createWorkflow(agent);
	await bench.client.publish(workflow);
	bench.model.play(call({ code: drawProgram }), { text: 'Here it is.' });
	const { text } = await bench.client.chat(webhookId, 'draw this', { files: [sales] });
	expect(JSON.parse(text)).toEqual({ output: 'Here it is.' });
	expect(bench.model.offered()[0]?.description).toContain('Files in /work/in, read-only: sales.csv (text/csv');

	const [result] = toolResults(await bench.client.newestExecution(workflow.id));
	const signed = expect.stringContaining('/rest/binary-data/signed?token=');
	expect(result).toEqual(
		ranWith({
			files: [
				{ name: 'chart.png', type: 'image/png', bytes: 73, preview: null, binary: 'data', link: signed },
				{ name: 'total.txt', type: 'text/plain', bytes: 1, preview: '8', binary: 'data1', link: signed },
			] as never,
		}),
	);
	expect(JSON.parse(bench.model.toolTexts()[0] ?? '')).toMatchObject(
		version < 3 ? { files: [{ link: signed }, { link: signed }] } : [{ files: [{ link: signed }, { link: signed }] }],
	);

	const [chart, total] = await Promise.all(filesOf(result).map(({ link: url }) => fetch(url)));
	expect([chart?.status, chart?.headers.get('content-type')]).toEqual([200, 'image/png']);
	expect((await chart?.text())?.slice(1, 4)).toBe('PNG');
	expect(await total?.text()).toBe('8');
});

test('an agent without files names one, and is told which there are', async () => {
	const execution = await bench.ask([call({ code: 'print(1)', files: ['costs.csv'] })]);
	expect(toolResults(execution)).toMatchObject([{ status: 'denied', problem: { code: 'FILE_UNKNOWN' } }]);
});

test('a model may write a small file itself', async () => {
	const code = 'print(open("/work/in/note.txt").read())';
	const execution = await bench.ask([call({ code, files: [{ name: 'note.txt', content: 'año' }] })]);
	expect(toolResults(execution)).toEqual([ranWith({ stdout: 'año\n' })]);
});

test('no link is made where the author wants none', async () => {
	bench.model.play(call({ code: 'open("/work/out/a.txt", "w").write("x")' }));
	const execution = await bench.run(manualAgent({ credential: bench.credential, tool: { fileLinks: false } }));
	expect(toolResults(execution)).toMatchObject([{ files: [{ name: 'a.txt', link: null, binary: 'data' }] }]);
	expect(runsOf(execution, toolNode)).toHaveLength(1);
});

test('a step reads the data of its item and gives files to the node after it', async () => {
	const code = 'open("/work/out/bill.txt", "w").write(f"{data[\'customer\']} pays {sum(data[\'amounts\'])}")';
	const items = [
		{ customer: 'Ana', amounts: [1, 2] },
		{ customer: 'Luis', amounts: [] },
	];
	const execution = await bench.run(stepWorkflow(items, { code, language: 'python' }));
	const file = { name: 'bill.txt', type: 'text/plain', binary: 'data', link: null };
	expect(stepItems(execution)).toMatchObject([
		{
			json: { files: [{ ...file, preview: 'Ana pays 3' }] },
			binary: { data: { fileName: 'bill.txt', mimeType: 'text/plain' } },
		},
		{
			json: { files: [{ ...file, preview: 'Luis pays 0' }] },
			binary: { data: { fileName: 'bill.txt', mimeType: 'text/plain' } },
		},
	]);
});

test('a step gives its program what the author writes to its standard input', async () => {
	const parameters = { code: 'tr a-z A-Z', language: 'bash', stdin: '={{ $json.text }}' };
	const execution = await bench.run(stepWorkflow([{ text: 'loud' }], parameters));
	expect(stepItems(execution).map(({ json }) => json)).toEqual([ranWith({ stdout: 'LOUD', language: 'bash' })]);
});

const oddNames = [
	...[
		'ñandú 日本.csv',
		'sub dir/a b.txt',
		'😀.md',
		'quote"\'.txt',
		'semi;colon&amp=.txt',
		'100%.txt',
		'-rf',
		'.env',
		'..hidden',
	],
	...['back\\slash.txt', 'CON', 'trailing. ', 'report.tar.gz', `${'x'.repeat(200)}.txt`, '{{ $json.x }}', '=1+1'],
];

test('files have links that lead to what they hold, whatever a program calls them', async () => {
	const code = `import os, json
for name in json.loads(${JSON.stringify(JSON.stringify(oddNames))}):
    os.makedirs(os.path.dirname('/work/out/' + name), exist_ok=True)
    open('/work/out/' + name, 'w').write('in ' + name)
`;
	const execution = await bench.ask([call({ code, language: 'python' })]);
	const [result] = toolResults(execution);
	expect(result).toMatchObject({ status: 'succeeded', problem: null });
	const files = filesOf(result);
	expect(files.map(({ name }) => name).sort()).toEqual([...oddNames].sort());
	const answers = await Promise.all(files.map(async ({ link }) => (await fetch(link)).text()));
	expect(answers).toEqual(files.map(({ name }) => `in ${name}`));
});

test.each([
	['javascript', "require('fs').writeFileSync('/work/out/ñ.json', JSON.stringify(data))"],
	['bash', "cat /work/in/data.json > '/work/out/ñ.json'"],
	['python', "import json; json.dump(data, open('/work/out/ñ.json', 'w'))"],
])('a step in %s hands its file to the step after it, which reads it', async (language, code) => {
	const workflow = stepWorkflow([{ a: 1 }], { language, code });
	const reader = node('Reader', 'n8n-nodes-secure-code.secureCode', 1, {
		...{ language: 'bash', filesFrom: 'item', dataFrom: 'none' },
		code: 'ls /work/in; tr -d " " < "/work/in/ñ.json"',
	});
	const connections = { ...workflow.connections, [stepNode]: link('main', 'Reader') };
	const execution = await bench.run({ ...workflow, nodes: [...workflow.nodes, reader], connections });
	const [item] = runsOf(execution, 'Reader')[0]?.data?.main?.[0] ?? [];
	expect(item?.json.stdout).toBe('ñ.json\n{"a":1}');
});

test('a program that leaves its file beside the folder is told where it belongs', async () => {
	const execution = await bench.ask([call({ code: 'open("result.csv", "w").write("a")' })]);
	expect(toolResults(execution)).toMatchObject([{ status: 'succeeded', problem: { code: 'FILES_ELSEWHERE' } }]);
});
