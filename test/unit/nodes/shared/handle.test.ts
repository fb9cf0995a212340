import { describe, expect, it } from 'vitest';
import { isHandle, makeHandle, openHandle } from '../../../../nodes/shared/handle.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

const contextOf = (executionId: string) => fakeContext({ properties: [], executionId }).context;
const here = contextOf('e1');
const content = { name: 'K', variable: 'KEY', value: 'hunter2-hunter3', hosts: ['api.example.com'], expires: 1_000 };

describe('a handle', () => {
	it('opens in the execution that it was made in', () => {
		expect(openHandle(here, makeHandle(here, content), 999)).toEqual(content);
	});

	it('shows nothing of what is inside, and is different each time', () => {
		const handles = [makeHandle(here, content), makeHandle(here, content)];
		const decoded = handles.map((handle) => Buffer.from(handle.slice(4), 'base64url').toString('latin1'));
		expect(decoded.filter((text) => /hunter|KEY/.test(text))).toEqual([]);
		expect(new Set(handles).size).toBe(2);
		expect(handles.every(isHandle)).toBe(true);
	});

	it('does not open in another execution', () => {
		expect(openHandle(contextOf('e2'), makeHandle(here, content), 0)).toBeUndefined();
	});

	it('does not open when its time is over', () => {
		expect(openHandle(here, makeHandle(here, content), 1_000)).toBeUndefined();
	});

	it('does not open when one of its bytes is changed or missing', () => {
		const bytes = Buffer.from(makeHandle(here, content).slice(4), 'base64url');
		const opened = [...bytes.keys()].flatMap((at) => {
			const changed = Buffer.from(bytes);
			changed[at] = (changed[at] as number) ^ 1;
			return [changed, bytes.subarray(0, at)].map((one) => openHandle(here, `scv_${one.toString('base64url')}`, 0));
		});
		expect(opened.filter((one) => one !== undefined)).toEqual([]);
	});

	it.each(['scv_', 'scv_AAAA', 'hello', ''])('is not %j', (text) => {
		expect(openHandle(here, text, 0)).toBeUndefined();
	});
});
