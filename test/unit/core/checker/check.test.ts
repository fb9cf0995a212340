import { describe, expect, it } from 'vitest';
import { check } from '../../../../src/core/checker/check.ts';
import { type CheckOptions, checkOptionsSchema } from '../../../../src/core/checker/options.ts';

const found = (code: string, options: Partial<CheckOptions> = {}): string[] =>
	check(code, checkOptionsSchema.parse(options)).findings.map(({ ruleId, severity }) => `${ruleId} ${severity}`);

describe('a report', () => {
	it('says what is wrong, where, why and what to do instead', () => {
		expect(check('import os as o\nx = o.popen("ls")', checkOptionsSchema.parse({}))).toEqual({
			language: 'python',
			dialect: 'javascript',
			guessed: true,
			confidence: 0.98,
			verdict: 'forbidden',
			omitted: 0,
			findings: [
				{
					ruleId: 'PY-EXEC',
					cwe: 'CWE-78',
					severity: 'block',
					line: 2,
					column: 5,
					endLine: 2,
					endColumn: 12,
					source: 'x = o.popen("ls")',
					found: 'o.popen',
					resolved: 'os.popen',
					message: '`o.popen` is os.popen: it starts another program, and subprocesses are off in this sandbox.',
					fix: 'Use os.listdir("/work"), pathlib or shutil; send shell commands with language "bash".',
				},
			],
		});
	});

	it('counts columns in UTF-16 units after letters of other lengths', () => {
		const [finding] = check('x = "😀é"; eval("1")', checkOptionsSchema.parse({ language: 'python' })).findings;
		expect([finding?.line, finding?.column, finding?.endColumn]).toEqual([1, 12, 16]);
	});

	it('counts lines as they were sent when they end in carriage returns', () => {
		const [finding] = check(
			'x = 1\r\ny = 2\r\neval("1")\r\n',
			checkOptionsSchema.parse({ language: 'python' }),
		).findings;
		expect([finding?.line, finding?.source]).toEqual([3, 'eval("1")']);
	});

	it('is clean, suspicious or forbidden', () => {
		const verdict = (code: string) => check(code, checkOptionsSchema.parse({ language: 'bash' })).verdict;
		expect([verdict('ls'), verdict('sudo ls'), verdict('sudo rm -rf /etc')]).toEqual([
			'clean',
			'suspicious',
			'forbidden',
		]);
	});

	it('names one rule once for each line', () => {
		expect(found('eval("1"); eval("2"); exec("3")\neval("4")', { language: 'python' })).toEqual([
			'PY-EVAL block',
			'PY-EVAL block',
		]);
	});

	it('lists twenty findings and counts the rest, and what blocks is not crowded out by warnings', () => {
		const code = `${'import multiprocessing\n'.repeat(30)}eval("1")`;
		const report = check(code, checkOptionsSchema.parse({ language: 'python' }));
		expect([report.findings.length, report.omitted, report.findings.at(-1)?.ruleId]).toEqual([20, 11, 'PY-EVAL']);
	});

	it('is the same for the same program', () => {
		const code = 'import os\nf = os.system\nf("id")';
		expect(check(code, checkOptionsSchema.parse({}))).toEqual(check(code, checkOptionsSchema.parse({})));
	});
});

describe('the options', () => {
	it('refuse a program that is too long without reading it', () => {
		const options = { language: 'python', maxCodeLength: 10 } as const;
		expect([found('x = 1 + 22', options), found('x = 1 + 222 (', options)]).toEqual([[], ['PY-LENGTH block']]);
	});

	it.each([
		['python', 'import requests'],
		['javascript', "fetch('http://a.b');"],
		['bash', 'curl http://a.b'],
	] as const)('let %s use the network when it is on, for some hosts or for all', (language, code) => {
		const blocked = (network: CheckOptions['network']) => found(code, { language, network }).length > 0;
		expect([blocked('none'), blocked([]), blocked(['a.b']), blocked('full')]).toEqual([true, true, false, false]);
	});

	it.each([
		['python', 'open("/srv/x", "w")'],
		['javascript', "require('fs').writeFileSync('/srv/x', '');"],
		['bash', 'echo x > /srv/x'],
	] as const)('let %s write to the roots that they name', (language, code) => {
		expect([found(code, { language }).length, found(code, { language, writableRoots: ['/srv'] })]).toEqual([1, []]);
	});

	it.each([
		['python', 'open("/data/private/x").read()'],
		['javascript', "require('fs').readFileSync('/data/private/x');"],
		['bash', 'cat /data/private/x'],
	] as const)('keep %s from reading what they name', (language, code) => {
		expect([found(code, { language }), found(code, { language, readDeny: ['/data/private'] }).length]).toEqual([[], 1]);
	});

	it('turn subprocesses into a warning and check the command they start', () => {
		const options = { language: 'python', allowSubprocess: true } as const;
		expect(found('import os\nos.system("ls")', options)).toEqual(['PY-EXEC warn']);
		expect(found('import os\nos.system("rm -rf /etc")', options)).toEqual(['BASH-DELETE block', 'PY-EXEC warn']);
		expect(
			found("require('child_process').spawn('rm', ['-rf', '/etc']);", {
				language: 'javascript',
				allowSubprocess: true,
			}),
		).toEqual(['BASH-DELETE block', 'JS-EXEC warn']);
	});

	it('allow worker threads', () => {
		expect(found("require('worker_threads');", { language: 'javascript', allowWorkers: true })).toEqual([]);
	});

	it('allow listed modules with their submodules, and no module by another road', () => {
		const allowed = (code: string) => found(code, { language: 'python', allowedImports: ['os', 'glob', 'Pillow'] });
		expect([
			allowed('import os.path, PIL.Image'),
			allowed('import json'),
			allowed('import glob\nglob.re.compile'),
		]).toEqual([[], ['PY-IMPORT block'], []]);
		expect(found('import glob\nglob.os.sep', { language: 'python', allowedImports: ['glob'] })).toEqual([
			'PY-IMPORT block',
		]);
		expect(found('import json', { language: 'python', allowedImports: [] })).toEqual(['PY-IMPORT block']);
		expect(found("require('fs');", { language: 'javascript', allowedImports: ['fs'] })).toEqual([]);
	});

	it('give single rules another severity, or none', () => {
		const code = 'eval("1")';
		expect([
			found(code, { language: 'python', severities: { 'PY-EVAL': 'warn' } }),
			found(code, { language: 'python', severities: { 'PY-EVAL': 'off' } }),
			found('sudo ls', { language: 'bash', severities: { 'BASH-PRIV': 'block' } }),
		]).toEqual([['PY-EVAL warn'], [], ['BASH-PRIV block']]);
	});

	it('only warn when asked to', () => {
		expect(check('eval("1")', checkOptionsSchema.parse({ language: 'python', warnOnly: true })).verdict).toBe(
			'suspicious',
		);
	});

	it('downgrade syntax errors when asked to', () => {
		expect([
			found('def f(:', { language: 'python' }),
			found('def f(:', { language: 'python', onSyntaxError: 'warn' }),
		]).toEqual([['PY-SYNTAX block'], ['PY-SYNTAX warn']]);
	});
});
