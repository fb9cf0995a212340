import { expect, test } from 'vitest';
import { parseFlatted } from '../../../../scripts/n8n/flatted.ts';

test('A stored execution is put together from its parts', () => {
	const text = '[{"name":"1","list":"2","count":3,"none":null},"job",["1","3"],{"deep":"1"}]';
	expect(parseFlatted(text)).toEqual({ name: 'job', list: ['job', { deep: 'job' }], count: 3, none: null });
});

test('Parts that lead back to themselves are the same part', () => {
	const cycle = parseFlatted('[{"self":"0"}]') as { self: unknown };
	expect(cycle.self).toBe(cycle);
});
