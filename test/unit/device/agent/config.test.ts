import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfig } from '../../../../src/device/agent/config.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const smallest = 'version: 1\ndevice: { id: box }\nlisteners: [{ faces: [native], port: 7475 }]\n';

const problemOf = (act: () => unknown): string => {
	try {
		act();
		return 'nothing';
	} catch (error) {
		const { problem } = error as { problem: { code: string; message: string } };
		return `${problem.code}: ${problem.message}`;
	}
};

function folder(text = smallest, mode = 0o600): string {
	const dir = join(tempFolder(), 'agent');
	mkdirSync(dir, { mode: 0o700 });
	writeFileSync(join(dir, 'config.yaml'), text);
	chmodSync(join(dir, 'config.yaml'), mode);
	return dir;
}

describe('parseConfig', () => {
	it('fills in what is not said with what is safe', () => {
		const { listeners, keys, policyFile, runner, quickcmd, deviceAgent, metrics } = parseConfig(smallest);
		expect({ listeners, keys, policyFile, runner, quickcmd, deviceAgent, metrics }).toEqual({
			listeners: [{ faces: ['native'], host: '127.0.0.1', port: 7475 }],
			keys: [],
			policyFile: 'policy.yaml',
			runner: 'in-process',
			quickcmd: {
				allowedControllers: [],
				reads: 'same-peer',
				requireBinding: false,
				maxAgeSeconds: 300,
				maxTtlSeconds: 3600,
			},
			deviceAgent: { unsignedFrom: [] },
			metrics: { from: ['127.0.0.0/8', '::1/128'] },
		});
	});

	it.each([
		['a word that is not known', `${smallest}colour: red\n`, 'Unrecognized key: "colour"'],
		['another version', smallest.replace('1', '2'), 'version:'],
		['a key twice', `${smallest}version: 1\n`, 'Map keys must be unique'],
		['an anchor that would multiply', 'version: &a 1\nb: *a\n', 'Alias resolution is disabled'],
		['a text that is no YAML', 'version: [1\n', 'The configuration is not valid'],
		['a list', '- 1\n', 'expected object'],
		['no listener', 'version: 1\ndevice: { id: box }\nlisteners: []\n', 'listeners:'],
		['a port that is none', smallest.replace('7475', '70000'), 'listeners.0.port:'],
		[
			'two listeners with one face',
			smallest.replace(']\n', ', { faces: [native], port: 7476 }]\n'),
			'two carry the face native',
		],
		[
			'two listeners on one port',
			smallest.replace(']\n', ', { faces: [agent3], port: 7475 }]\n'),
			'two listen on 127.0.0.1:7475',
		],
		[
			'two keys with one id',
			`${smallest}keys: [${['a', 'b'].map((file) => `{ id: k, face: agent3, kind: token, principal: p, file: ${file} }`)}]\n`,
			'two have the id k',
		],
	])('refuses %s', (_, text, words) => {
		const problem = problemOf(() => parseConfig(text));
		expect(problem).toMatch(/^CONFIG_INVALID: /);
		expect(problem).toContain(words);
	});
});

describe('readConfig', () => {
	it('reads a folder that is ours alone', () => {
		expect(readConfig(folder()).warnings).toEqual([]);
	});

	it('warns of a configuration that others can read, and reads it', () => {
		const { warnings } = readConfig(folder(smallest, 0o644));
		expect(warnings.map(({ kind, fix }) => [kind, fix.split(' ').slice(0, 2)])).toEqual([
			['readable', ['chmod', 'go-r']],
		]);
	});

	it('refuses a configuration that others can write, unless it is told to read it all the same', () => {
		const dir = folder(smallest, 0o622);
		expect(problemOf(() => readConfig(dir))).toContain('can be changed by other users; mend it with "chmod go-w');
		expect(readConfig(dir, { allowsExposed: true }).warnings.map(({ kind }) => kind)).toEqual(['writable']);
	});

	it('refuses a folder that others can write to', () => {
		const dir = folder();
		chmodSync(dir, 0o770);
		expect(problemOf(() => readConfig(dir))).toContain('can be changed by other users');
	});

	it('refuses a folder on whose way others can exchange a folder', () => {
		const dir = folder();
		chmodSync(join(dir, '..'), 0o777);
		expect(problemOf(() => readConfig(dir))).toContain('can be changed by other users; mend it with "chmod o-w');
	});

	it('refuses a configuration that is a link', () => {
		const dir = folder();
		const other = join(tempFolder(), 'agent');
		mkdirSync(other, { mode: 0o700 });
		symlinkSync(join(dir, 'config.yaml'), join(other, 'config.yaml'));
		expect(problemOf(() => readConfig(other))).toContain('is a symbolic link');
	});

	it.skipIf(process.getuid?.() !== 0)('refuses what belongs to another user', () => {
		const dir = folder();
		chownSync(join(dir, 'config.yaml'), 65_534, 65_534);
		expect(problemOf(() => readConfig(dir))).toContain('belongs to the user 65534');
	});

	it('says how to make an agent where there is none', () => {
		expect(problemOf(() => readConfig('/does/not/exist'))).toContain('secure-code agent init --dir /does/not/exist');
	});
});
