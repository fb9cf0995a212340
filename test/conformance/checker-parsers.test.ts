import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/core/checker/check.ts';
import { parse } from '../../src/core/checker/languages/parse.ts';
import { checkOptionsSchema } from '../../src/core/checker/options.ts';

// The truth about every file in one start of the interpreter: calls and attributes per line, or null where it does not parse.
const counting = `
import ast, json, sys
from collections import Counter
for name in sys.stdin.read().split("\\n"):
    try:
        tree = ast.parse(open(name, "rb").read())
    except (SyntaxError, ValueError):
        print("null")
        continue
    counts = Counter(type(n).__name__ + str(n.lineno) for n in ast.walk(tree) if isinstance(n, (ast.Call, ast.Attribute)))
    print(json.dumps(counts))
`;

type Counts = Record<string, number>;

/** The interpreter's own library: what it parses, ours must parse in the same way. Its torture tests are not installed with it. */
function libraryFiles(): string[] {
	const folder = execFileSync('python3', ['-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))'], {
		encoding: 'utf8',
	}).trim();
	const inside = (dir: string): string[] =>
		readdirSync(dir)
			.filter((name) => name.endsWith('.py'))
			.map((name) => join(dir, name));
	const packages = [
		'asyncio',
		'collections',
		'concurrent/futures',
		'email',
		'http',
		'importlib',
		'json',
		'logging',
		'multiprocessing',
		'unittest',
		'urllib',
		'xml/etree',
	];
	return [folder, ...packages.map((name) => join(folder, name))].flatMap(inside);
}

function countsOf(text: string): Counts | null {
	const { parsed } = parse('python', text);
	if (!parsed) return null;
	const counts: Counts = {};
	const pending: unknown[] = [parsed.tree];
	while (pending.length > 0) {
		const node = pending.pop();
		if (node === null || typeof node !== 'object') continue;
		const { nodeType, lineno } = node as { nodeType?: string; lineno?: number };
		if (nodeType === 'Call' || nodeType === 'Attribute')
			counts[nodeType + lineno] = (counts[nodeType + lineno] ?? 0) + 1;
		pending.push(...Object.values(node));
	}
	return counts;
}

const sorted = (counts: Counts): string => JSON.stringify(Object.entries(counts).sort());

describe('the Python parser', () => {
	it('sees the calls and attributes of the standard library where the interpreter sees them', () => {
		const files = libraryFiles();
		const truth = execFileSync('python3', ['-c', counting], {
			input: files.join('\n'),
			encoding: 'utf8',
			maxBuffer: 1 << 28,
		})
			.trim()
			.split('\n');
		const differing = files.filter((file, i) => {
			const expected = JSON.parse(truth[i] as string) as Counts | null;
			const own = expected === null ? null : countsOf(readFileSync(file, 'utf8'));
			return expected !== null && (own === null || sorted(own) !== sorted(expected));
		});
		expect({ enough: files.length > 150, differing }).toEqual({ enough: true, differing: [] });
	});
});

/** Scripts that come with the system, by their first line. */
function systemScripts(): string[] {
	return ['/usr/bin', '/usr/sbin', '/etc/init.d', '/usr/lib/dpkg/methods']
		.flatMap((dir) => listing(dir).map((name) => join(dir, name)))
		.filter((file) => /^#! ?\/(usr\/)?bin\/(ba)?sh\b/.test(head(file)))
		.slice(0, 120);
}

const listing = (dir: string): string[] => {
	try {
		return readdirSync(dir);
	} catch {
		return [];
	}
};

const head = (file: string): string => {
	try {
		return readFileSync(file, 'latin1').slice(0, 40);
	} catch {
		return '';
	}
};

const bashAccepts = (text: string): boolean => spawnSync('bash', ['-O', 'extglob', '-n'], { input: text }).status === 0;

describe('the Bash parser', () => {
	it('accepts the scripts of the system that bash accepts', () => {
		const refused = systemScripts().filter((file) => {
			const text = readFileSync(file, 'utf8');
			return parse('bash', text).problem !== null && bashAccepts(text);
		});
		expect(refused).toEqual([]);
	});

	it('refuses what bash refuses', () => {
		const broken = [
			'if true; then',
			'for i in; do',
			'echo "x',
			'(ls',
			'case x in',
			'fi',
			'a | | b',
			'while :; do x',
			'f() {',
		];
		const judged = broken.map((code) => ({ code, bash: bashAccepts(code), own: parse('bash', code).problem === null }));
		expect(judged.filter(({ bash, own }) => bash !== own)).toEqual([]);
	});
});

describe('the whole check', () => {
	it('never fails on the standard library or the scripts of the system', () => {
		const options = checkOptionsSchema.parse({ maxCodeLength: 200_000 });
		const failing = (files: readonly string[], language: 'python' | 'bash') =>
			files.filter((file) =>
				check(readFileSync(file, 'latin1'), { ...options, language }).findings.some(
					({ ruleId }) => ruleId === 'INTERNAL',
				),
			);
		expect([
			failing(
				libraryFiles().filter((_, i) => i % 3 === 0),
				'python',
			),
			failing(systemScripts(), 'bash'),
		]).toEqual([[], []]);
	});
});
