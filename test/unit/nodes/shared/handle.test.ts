import { describe, expect, it } from 'vitest';
import { isHandle, seal, unseal } from '../../../../nodes/shared/handle.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

const contextOf = (executionId: string) => fakeContext({ properties: [], executionId }).context;
const here = contextOf('e1');
const sealed = { name: 'K', variable: 'KEY', value: 'hunter2-hunter3', hosts: ['api.example.com'], expires: 1_000 };

describe('a handle', () => {
	it('opens in the execution that it was made in', () => {
		expect(unseal(here, seal(here, sealed), 999)).toEqual(sealed);
	});

	it('shows nothing of what is inside, and is different each time', () => {
		const handles = [seal(here, sealed), seal(here, sealed)];
		const decoded = handles.map((handle) => Buffer.from(handle.slice(4), 'base64url').toString('latin1'));
		expect(decoded.filter((text) => /hunter|KEY/.test(text))).toEqual([]);
		expect(new Set(handles).size).toBe(2);
		expect(handles.every(isHandle)).toBe(true);
	});

	it('does not open in another execution', () => {
		expect(unseal(contextOf('e2'), seal(here, sealed), 0)).toBeUndefined();
	});

	it('does not open when its time is over', () => {
		expect(unseal(here, seal(here, sealed), 1_000)).toBeUndefined();
	});

	it('does not open when one of its bytes is changed or missing', () => {
		const bytes = Buffer.from(seal(here, sealed).slice(4), 'base64url');
		const opened = [...bytes.keys()].flatMap((at) => {
			const changed = Buffer.from(bytes);
			changed[at] = (changed[at] as number) ^ 1;
			return [changed, bytes.subarray(0, at)].map((one) => unseal(here, `scv_${one.toString('base64url')}`, 0));
		});
		expect(opened.filter((one) => one !== undefined)).toEqual([]);
	});

	it.each(['scv_', 'scv_AAAA', 'hello', ''])('is not %j', (text) => {
		expect(unseal(here, text, 0)).toBeUndefined();
	});
});
