import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../../../../src/contract/limits.ts';
import type { BoxSpec } from '../../../../../../src/core/sandbox/backend.ts';
import { kindOf, withoutJob } from '../../../../../../src/core/sandbox/backends/nsjail/box-kind.ts';
import { emptySpec } from '../../../../../helpers/box.ts';

const MiB = 1024 * 1024;

const spec: BoxSpec = {
	...emptySpec,
	argv: ['/usr/bin/python3', '/code/main.py'],
	env: { PATH: '/usr/bin', A: 'b' },
	secretEnv: { KEY: 'sk-very-secret' },
	files: [{ path: '/code/main.py', content: 'print(1)' }],
	binds: [
		{ hostPath: '/var/lib/packages', path: '/opt/packages/python' },
		{ hostPath: '/tmp/run/in', path: '/work/in' },
	],
	ports: [53, 443],
	limitAddressSpace: true,
	madeFolder: '/work/out',
	collector: ['/usr/bin/bash', '-c', 'tar'],
	collectsMadeFolder: true,
	waiting: { argv: ['/usr/bin/python3', '/code/main.py'], env: { PATH: '/usr/bin', SECURE_CODE_WAIT: '1' } },
};

const limited = (limits: Partial<BoxSpec['limits']>): BoxSpec => ({ ...spec, limits: { ...defaultLimits, ...limits } });

describe('the kind of a job', () => {
	it.each<[string, BoxSpec]>([
		['its program', { ...spec, files: [{ path: '/code/main.py', content: 'print(2)' }] }],
		['its variables', { ...spec, env: { B: 'c' } }],
		['its secrets', { ...spec, secretEnv: { OTHER: 'x' } }],
		['its inputs', { ...spec, binds: [...spec.binds.slice(0, 1), { hostPath: '/tmp/other/in', path: '/work/in' }] }],
		['its time', limited({ timeoutMs: 1_000 })],
		['its output', limited({ outputBytes: 4_096 })],
		['its memory', limited({ memoryBytes: 512 * MiB })],
		['fewer open files', limited({ openFiles: 16 })],
		['smaller files', limited({ fileBytes: MiB })],
		['fewer processes', limited({ processes: 16 })],
	])('is the same whatever %s', (_what, other) => {
		expect(kindOf(other)).toBe(kindOf(spec));
	});

	it.each<[string, BoxSpec]>([
		['another interpreter', { ...spec, waiting: { argv: ['/usr/bin/node'], env: {} } }],
		[
			'other modules imported ahead',
			{ ...spec, waiting: { ...spec.waiting, argv: spec.argv, env: { SECURE_CODE_PRELOAD: 'numpy' } } },
		],
		['another file', { ...spec, files: [...spec.files, { path: '/etc/resolv.conf', content: '' }] }],
		['no inputs', { ...spec, binds: spec.binds.slice(0, 1) }],
		[
			'other packages',
			{ ...spec, binds: [{ hostPath: '/srv/other', path: '/opt/packages/python' }, ...spec.binds.slice(1)] },
		],
		['other ports', { ...spec, ports: [53, 80] }],
		['no network', { ...spec, ports: [] }],
		['more room in /work', limited({ workBytes: 128 * MiB })],
		['more files in /work', { ...spec, workInodes: 9_999 }],
		['more open files than usual', limited({ openFiles: defaultLimits.openFiles + 1 })],
		['larger files than usual', limited({ fileBytes: defaultLimits.fileBytes + 1 })],
		['more processes than usual', limited({ processes: defaultLimits.processes + 1 })],
		['an address space that cannot be limited', { ...spec, limitAddressSpace: false }],
		['no collector', { ...spec, collector: [] }],
		['a collector that must run', { ...spec, collectsMadeFolder: false }],
		['no made folder', { ...spec, madeFolder: undefined }],
	])('is another with %s', (_what, other) => {
		expect(kindOf(other)).not.toBe(kindOf(spec));
	});

	it('holds nothing that a job brings itself, and is that of what is remembered of it', () => {
		const text = fc.string({ minLength: 12 }).map((word) => `\u2603${word}`);
		const names = fc.dictionary(text, text);
		fc.assert(
			fc.property(names, names, text, text, fc.nat(), (env, secretEnv, content, hostPath, memoryBytes) => {
				const job: BoxSpec = {
					...limited({ memoryBytes }),
					env,
					secretEnv,
					files: [{ path: '/code/main.py', content }],
					binds: [...spec.binds.slice(0, 1), { hostPath, path: '/work/in' }],
				};
				return (
					kindOf(job) === kindOf(spec) &&
					kindOf(withoutJob(job)) === kindOf(spec) &&
					!JSON.stringify(withoutJob(job)).includes('\u2603')
				);
			}),
		);
	});
});

describe('what is remembered of a job', () => {
	it('is all that a box is made of, and nothing that it brought itself', () => {
		expect(withoutJob(spec)).toEqual({
			...spec,
			env: {},
			secretEnv: {},
			files: [{ path: '/code/main.py', content: '' }],
			binds: [
				{ hostPath: '/var/lib/packages', path: '/opt/packages/python' },
				{ hostPath: '', path: '/work/in' },
			],
		});
	});
});
