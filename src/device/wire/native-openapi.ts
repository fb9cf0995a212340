/** The OpenAPI 3.1 document of the native protocol, made from the table of its routes. Pure. */
import { z } from 'zod';
import { approvalAnswerSchema } from '../../contract/approval.ts';
import { commandSchema, deviceLabelsSchema, jobDraftSchema, streamStateSchema } from '../../contract/device-job.ts';
import { type ErrorCode, knownErrors } from '../../contract/error.ts';
import { jobResultSchema, problemSchema } from '../../contract/job.ts';
import { commandPlanSchema, policyDecisionSchema, policyReasonSchema } from '../../contract/policy.ts';
import * as native from './native.ts';
import { type NativeRoute, nativeRoutes } from './native-routes.ts';

type Json = Record<string, unknown>;

/** What is sent to the agent; what has a default may be left out there. */
const asked = {
	JobEnvelope: native.jobEnvelopeSchema,
	JobBody: native.jobBodySchema,
	JobDraft: jobDraftSchema,
	FlattenedJws: native.flattenedSchema,
	RequestClaims: native.requestClaimsSchema,
	ApprovalAnswer: approvalAnswerSchema,
	Enrolment: native.enrolSchema,
};

const answered = {
	Health: native.healthSchema,
	Enrolled: native.enrolledSchema,
	Capabilities: native.capabilitiesSchema,
	Job: native.jobViewSchema,
	Command: commandSchema,
	CommandPlan: commandPlanSchema,
	JobResult: jobResultSchema,
	Problem: problemSchema,
	StreamState: streamStateSchema,
	Labels: deviceLabelsSchema,
	JobList: native.jobListSchema,
	JobEvent: native.jobEventSchema,
	OutputPage: native.pageSchema,
	OutputHits: native.hitsSchema,
	PolicyDecision: policyDecisionSchema,
	PolicyReason: policyReasonSchema,
	Approval: native.approvalSchema,
	ApprovalList: native.approvalListSchema,
	AuditStatus: native.auditStatusSchema,
	Error: native.errorSchema,
};

/** Says nothing that the type "integer" does not say. */
function withoutSafeBounds(schema: Json): void {
	if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
	if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

const uri = (name: string): string => `#/components/schemas/${name}`;

function componentsOf(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): Json {
	const registry = z.registry<{ id: string }>();
	for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
	const override = ({ jsonSchema }: { jsonSchema: object }) => withoutSafeBounds(jsonSchema as Json);
	const { schemas } = z.toJSONSchema(registry, { uri, io, override });
	return Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]));
}

const names = new Map<unknown, string>(
	Object.entries({ ...asked, ...answered }).map(([name, schema]) => [schema, name]),
);

function schemaOf(schema: z.ZodType): Json {
	const name = names.get(schema);
	if (name !== undefined) return { $ref: uri(name) };
	const override = ({ jsonSchema }: { jsonSchema: object }) => withoutSafeBounds(jsonSchema as Json);
	const { $schema, ...plain } = z.toJSONSchema(schema, { io: 'input', override });
	return plain;
}

function parametersOf(place: 'path' | 'query', object: z.ZodObject): Json[] {
	const { properties = {}, required = [] } = schemaOf(object) as {
		properties?: Record<string, Json>;
		required?: string[];
	};
	return Object.entries(properties).map(([name, { description, ...schema }]) => ({
		...{ name, in: place, required: place === 'path' || required.includes(name) },
		...(description !== undefined && { description }),
		schema,
	}));
}

const lastEventId = {
	name: 'Last-Event-ID',
	in: 'header',
	required: false,
	description: 'The same as `after`, as browsers send it.',
	schema: { type: 'string', pattern: '^\\d{1,15}$' },
};

function bodyOf({ proof, body }: NativeRoute): Json {
	if (proof === 'job')
		return {
			required: true,
			description: 'The payload of the JWS is a JobEnvelope.',
			content: {
				'application/jose': { schema: { type: 'string' } },
				'application/jose+json': { schema: { $ref: uri('FlattenedJws') } },
			},
		};
	return { required: true, content: { 'application/json': { schema: schemaOf(body as z.ZodType) } } };
}

/** What every call may be refused with, beside the refusals of its own. */
function refusalsOf({ proof, refusals }: NativeRoute): ErrorCode[] {
	const proved: ErrorCode[] = proof === 'nobody' ? [] : ['AUTH_REQUIRED', 'AUTH_STALE', 'AUTH_FORBIDDEN'];
	return [...new Set<ErrorCode>(['REQUEST_INVALID', ...proved, ...refusals])];
}

const refusal = { 'application/json': { schema: { $ref: uri('Error') } } };

function refusedAnswers(route: NativeRoute): Json {
	const codes = refusalsOf(route);
	const statuses = [...new Set(codes.map((code) => knownErrors[code].http))];
	return Object.fromEntries(
		statuses.map((status) => {
			const refused = codes.filter((code) => knownErrors[code].http === status);
			return [status, { description: refused.map((code) => `\`${code}\``).join(', '), content: refusal }];
		}),
	);
}

function goodAnswers({ answers }: NativeRoute): Json {
	return Object.fromEntries(
		Object.entries(answers).map(([status, { what, schema, type = 'application/json' }]) => [
			status,
			{ description: what, ...(schema && { content: { [type]: { schema: schemaOf(schema) } } }) },
		]),
	);
}

function operationOf(operationId: string, route: NativeRoute): Json {
	const { summary, description, proof, params, query, body } = route;
	const parameters = [...parametersOf('path', params), ...parametersOf('query', query)];
	const all = operationId === 'watchJob' ? [...parameters, lastEventId] : parameters;
	return {
		operationId,
		summary,
		...(description !== undefined && { description }),
		security: proof === 'caller' ? [{ bearer: [] }] : [],
		...(all.length > 0 && { parameters: all }),
		...((body || proof === 'job') && { requestBody: bodyOf(route) }),
		responses: { ...goodAnswers(route), ...refusedAnswers(route), default: { $ref: '#/components/responses/Other' } },
	};
}

function pathsOf(): Json {
	const paths: Record<string, Json> = {};
	for (const [name, route] of Object.entries<NativeRoute>(nativeRoutes)) {
		const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
		paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(name, route) };
	}
	return paths;
}

const bearer = {
	type: 'http',
	scheme: 'bearer',
	bearerFormat: 'JWS',
	description:
		'A compact JWS (EdDSA with Ed25519) whose payload is RequestClaims and whose protected header holds exactly `alg`, `kid` and `typ: "secure-code-request+jws"`; it is good for one method, one address, one body and at most a minute, and where something is changed for one use. Or a token that the operator made with "secure-code agent keys add".',
};

export const nativeDocument = (): Json => ({
	openapi: '3.1.0',
	info: {
		title: 'Secure Code device agent, native protocol',
		version: '2.0.0',
		summary: 'Jobs on a device: signed, decided by a policy, approved by people, streamed, recorded.',
		license: { name: 'MIT', identifier: 'MIT' },
	},
	servers: [{ url: 'https://{device}', variables: { device: { default: '127.0.0.1:7475' } } }],
	paths: pathsOf(),
	components: {
		securitySchemes: { bearer },
		responses: { Other: { description: 'Any other refusal or failure.', content: refusal } },
		schemas: { ...componentsOf(asked, 'input'), ...componentsOf(answered, 'output') },
	},
});
