import { describe, expect, test } from 'vitest';
import { groupFolders, isShort, isShortOfMemory, roomOfGroup } from '../../../../src/core/host/memory.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const machine = { wholeBytes: 64 * GiB, freeBytes: 40 * GiB };
const group = (whole: number, free: number) => ({ wholeBytes: whole, freeBytes: free });

describe('the room of a control group', () => {
	test.each([
		['version 2', 'anon 5\ninactive_file 300\nactive_file 70\n'],
		['version 1, with those below it', 'inactive_file 10\ntotal_inactive_file 300\n'],
	])('is what it has not used, and what the kernel can drop: %s', (_, stat) => {
		expect(roomOfGroup({ limit: '1000\n', used: '900\n', stat })).toEqual({ wholeBytes: 1000, freeBytes: 400 });
	});

	test.each([
		['has no limit', { limit: 'max\n', used: '900\n', stat: '' }],
		['shows none', { limit: undefined, used: undefined, stat: undefined }],
	])('is no other than that of the machine where the group %s', (_, texts) => {
		expect(roomOfGroup(texts)).toBeUndefined();
	});
});

describe('short of memory', () => {
	test.each([
		['a machine with much that is free', machine, [], false],
		['a machine of which less than a twentieth is free', { ...machine, freeBytes: 3 * GiB }, [], true],
		['a small machine with less than 192 MiB', group(GiB, 191 * MiB), [], true],
		['a container of 2 GiB on a large machine, with a quarter of it free', machine, [group(2 * GiB, 512 * MiB)], false],
		['a container with less than 192 MiB', machine, [group(2 * GiB, 191 * MiB)], true],
		['a container within one with less', machine, [group(4 * GiB, 3 * GiB), group(2 * GiB, 100 * MiB)], true],
		['a container with a limit above the memory of the machine', machine, [group(2 ** 63, 1)], false],
		['a roomy container on a machine that is full', { ...machine, freeBytes: GiB }, [group(32 * GiB, 31 * GiB)], true],
	])('is, or is not, %s', (_, whole, groups, expected) => {
		expect(isShort(whole, groups)).toBe(expected);
	});

	test('is known of this machine', () => {
		expect([true, false]).toContain(isShortOfMemory());
	});
});

test('every group around our own can have a limit', () => {
	expect([groupFolders(['/g/a/b', '/g']), groupFolders(['/g']), groupFolders([])]).toEqual([
		['/g/a/b', '/g/a', '/g'],
		['/g'],
		[],
	]);
});
