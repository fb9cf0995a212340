import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { nativeDocument } from '../../../../src/device/wire/native-openapi.ts';
import { nativeRoutes } from '../../../../src/device/wire/native-routes.ts';

const document = nativeDocument();
const text = JSON.stringify(document);
const { paths, components } = document as {
	paths: Record<string, Record<string, { operationId: string; responses: object; security: unknown[] }>>;
	components: { schemas: Record<string, object>; responses: object };
};

describe('the OpenAPI document', () => {
	it('is valid', async () => {
		expect(await new Validator().validate(JSON.parse(text))).toEqual({ valid: true });
	});

	it('has every route', () => {
		const described = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
		expect(described.sort()).toEqual(Object.keys(nativeRoutes).sort());
	});

	it('asks for a proof wherever a route does', () => {
		const open = Object.values(paths).flatMap((path) =>
			Object.values(path).filter(({ security }) => security.length === 0),
		);
		expect(open.map(({ operationId }) => operationId)).toEqual(['getHealth', 'getDocument', 'enroll', 'submitJob']);
	});

	it('refers only to what is in it', () => {
		const names = [...text.matchAll(/"#\/components\/(schemas|responses)\/(\w+)"/g)];
		const missing = names.filter(([, kind = '', name = '']) => !(name in components[kind as 'schemas']));
		expect([names.length > 50, missing]).toEqual([true, []]);
	});

	it('has schemas that a validator of JSON Schema can use', () => {
		const ajv = new Ajv2020({ strict: false, validateFormats: false });
		ajv.addSchema(JSON.parse(text), 'document');
		const broken = Object.keys(components.schemas).filter(
			(name) => !ajv.getSchema(`document#/components/schemas/${name}`),
		);
		expect(broken).toEqual([]);
		const valid = ajv.getSchema('document#/components/schemas/Health');
		expect([valid?.({ status: 'ok', deviceId: 'a', version: '1', time: 1 }), valid?.({ status: 'ok' })]).toEqual([
			true,
			false,
		]);
	});

	it('lets what has a default be left out of a job', () => {
		const { required } = components.schemas.JobDraft as { required: string[] };
		expect(required).toEqual(['capability', 'command']);
	});
});
