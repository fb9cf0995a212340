/** Makes a policy of its text: read, checked, compiled, and tried on the examples of its own rules. Pure. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { failingExample } from './examples.ts';
import type { Capability, Pattern, Policy, Rule } from './policy.ts';
import { compileProgram } from './programs/compile.ts';
import { compile, NotationError } from './programs/notation.ts';
import type { Program } from './programs/program.ts';
import { shippedPrograms } from './programs/shipped/sets.ts';
import { invalidPolicy, readYaml } from './read-yaml.ts';
import {
	type CapabilityShape,
	capabilitySchema,
	type PolicyShape,
	policySchema,
	programSchema,
	type RuleShape,
} from './schema.ts';

export interface LoadOptions {
	/** Paths of the agent itself (its folder, its socket): nobody may name them. */
	readonly ownPaths?: readonly string[];
}

/** @throws KnownError POLICY_INVALID that names the rule and what is wrong with it */
export function loadPolicy(text: string, { ownPaths = [] }: LoadOptions = {}): Policy {
	const shape = parsed(policySchema, readYaml(text), 'policy');
	const policy = compiled(shape, createHash('sha256').update(text).digest('hex'), ownPaths);
	const failure = failingExample(
		policy,
		shape.programs.map(({ name }) => name),
	);
	return failure === undefined ? policy : invalidPolicy(failure);
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
	const result = schema.safeParse(value);
	if (result.success) return result.data;
	const [issue] = result.error.issues;
	const path = [where, ...(issue?.path ?? [])].join('.');
	return invalidPolicy(`${path}: ${issue?.message ?? 'it does not fit'}`);
}

function compiled(shape: PolicyShape, hash: string, ownPaths: readonly string[]): Policy {
	try {
		const programs = programsOf(shape);
		return {
			name: shape.name,
			hash,
			profiles: shape.profiles,
			paths: { ...shape.paths, own: ownPaths },
			environment: shape.environment,
			scripts: shape.scripts,
			programs,
			deny: shape.deny.map(ruleOf),
			ask: shape.ask.map(ruleOf),
			capabilities: capabilitiesOf(shape, programs),
			roles: shape.roles,
			hook: shape.hook,
		};
	} catch (error) {
		if (error instanceof NotationError) return invalidPolicy(error.message);
		throw error;
	}
}

function programsOf(shape: PolicyShape): Map<string, Program> {
	const programs = new Map<string, Program>();
	for (const name of shape.shipped) {
		const set = Object.hasOwn(shippedPrograms, name) ? shippedPrograms[name] : undefined;
		if (!set)
			return invalidPolicy(
				`policy.shipped: there is no "${name}"; there are ${Object.keys(shippedPrograms).join(', ')}`,
			);
		for (const input of set) programs.set(input.name, compileProgram(programSchema.parse(input)));
	}
	const own = new Set<string>();
	for (const program of shape.programs) {
		if (own.has(program.name)) return invalidPolicy(`program ${program.name} is there twice`);
		if (program.sha256 !== undefined && program.path === undefined)
			return invalidPolicy(`program ${program.name}: "sha256" needs "path"`);
		own.add(program.name);
		programs.set(program.name, compileProgram(program));
	}
	return programs;
}

const patternOf = (source: string, ignoresCase = false): Pattern => ({ source, regex: compile(source, ignoresCase) });

const ruleOf = (rule: RuleShape): Rule => ({
	...rule,
	pattern: rule.pattern === undefined ? null : patternOf(rule.pattern, rule.ignoresCase),
});

function capabilitiesOf(shape: PolicyShape, programs: ReadonlyMap<string, Program>): Map<string, Capability> {
	const capabilities = new Map<string, Capability>();
	for (const name of Object.keys(shape.capabilities)) {
		const where = `policy.capabilities.${name}`;
		const capability = parsed(capabilitySchema, inherited(shape, name, []), where);
		refuseDangling(shape, programs, capability, where);
		const { autoApprove, otherwise = shape.default, unlisted = otherwise, ...rest } = capability;
		capabilities.set(name, {
			...rest,
			name,
			otherwise,
			unlisted,
			autoApprove: autoApprove.map((source) => patternOf(source)),
		});
	}
	return capabilities;
}

/** What a capability says, on top of what the one says that it is like. */
function inherited(shape: PolicyShape, name: string, way: readonly string[]): Record<string, unknown> {
	const given = Object.hasOwn(shape.capabilities, name) ? shape.capabilities[name] : undefined;
	if (!given || way.includes(name))
		return invalidPolicy(`policy.capabilities.${way[0] ?? name}: "like" leads nowhere (${[...way, name].join(', ')})`);
	const { like, ...own } = given;
	if (like === undefined) return own;
	const { allows: _allows, asks: _asks, denies: _denies, ...base } = inherited(shape, like, [...way, name]);
	return { ...base, ...own };
}

function refuseDangling(
	shape: PolicyShape,
	programs: ReadonlyMap<string, Program>,
	capability: CapabilityShape,
	where: string,
): void {
	const profile = Object.hasOwn(shape.profiles, capability.profile) ? shape.profiles[capability.profile] : undefined;
	if (!profile) invalidPolicy(`${where}.profile: there is no profile "${capability.profile}"`);
	if (
		[capability.otherwise, capability.unlisted].includes('allow') &&
		(capability.scripts !== 'free' || profile?.backend === 'direct')
	)
		invalidPolicy(`${where}.otherwise: what no rule allows can only run as a free script in a jail or container`);
	const missing = capability.programs === '*' ? undefined : capability.programs.find((name) => !programs.has(name));
	if (missing !== undefined) invalidPolicy(`${where}.programs: there is no program "${missing}"`);
}
