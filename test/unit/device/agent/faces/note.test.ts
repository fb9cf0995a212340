import { describe, expect, it } from 'vitest';
import { withNote } from '../../../../../src/device/agent/faces/note.ts';

describe('withNote', () => {
	it.each([
		['', 'Timeout', 'Timeout'],
		['half', 'Timeout', 'half\nTimeout'],
		['line\n', 'Timeout', 'line\nTimeout'],
		['e', null, 'e'],
	])('puts after %j the note %j', (stderr, note, all) => {
		expect(withNote(stderr, note)).toBe(all);
	});
});
