import { describe, expect, it } from 'vitest';
import { KnownError } from '../../../../src/contract/error.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';

const base = `
version: 1
name: x
profiles: { jail: {} }
shipped: [files, shell]
`;
const capability = 'capabilities: { shell.run: { profile: jail, programs: [ls] } }\n';

function detailsOf(text: string): string {
	try {
		loadPolicy(text);
		return 'it holds';
	} catch (error) {
		if (!KnownError.is(error) || error.code !== 'POLICY_INVALID') throw error;
		return error.problem.message.replace('The policy is not valid, so nothing may run: ', '');
	}
}

describe('a policy', () => {
	it('is named by its content', () => {
		const [one, same, other] = [base + capability, base + capability, `${base}${capability}# x\n`].map(
			(text) => loadPolicy(text).hash,
		);
		expect([one?.length, one === same, one === other]).toEqual([64, true, false]);
	});

	it.each<[string, string, RegExp]>([
		['with a word that is not known', `${base}${capability}more: 1\n`, /^policy: Unrecognized key: "more"/],
		['of another version', base.replace('1', '2') + capability, /^policy\.version/],
		['that is no YAML', '{', /.+/],
		['that is nothing', '', /^policy/],
		['that is a list', '- 1', /^policy/],
		['with a key twice', `${base}name: y\n${capability}`, /Map keys must be unique/],
		['with aliases', `${base}paths: &a { read: [] }\nscripts: *a\n${capability}`, /aliases|scripts/],
		['with a tag', `${base}roles: !!js/function x\n${capability}`, /tag|roles/],
		['without capabilities', base, /^policy\.capabilities/],
		[
			'with a profile that is not there',
			`${base}capabilities: { a: { profile: b, programs: [] } }`,
			/there is no profile "b"/,
		],
		[
			'with a program that is not there',
			`${base}capabilities: { a: { profile: jail, programs: [nothing] } }`,
			/there is no program "nothing"/,
		],
		[
			'with a set that is not there',
			base.replace('[files, shell]', '[all]') + capability,
			/there is no "all"; there are docker, files/,
		],
		[
			'with a flag that is none',
			`${base}programs: [{ name: t, flags: "x" }]\n${capability}`,
			/program t: "x" is no flag/,
		],
		[
			'with a kind that is none',
			`${base}programs: [{ name: t, flags: "-x=thing" }]\n${capability}`,
			/"thing" is no kind of value/,
		],
		['with a flag twice', `${base}programs: [{ name: t, flags: "-x -x" }]\n${capability}`, /-x is there twice/],
		[
			'with a pattern that is none',
			`${base}programs: [{ name: t, positionals: "/(/" }]\n${capability}`,
			/is no RE2 pattern/,
		],
		[
			'with a look-behind, which no linear pattern has',
			`${base}deny: [{ name: a, why: b, pattern: "(?<=a)b" }]\n${capability}`,
			/is no RE2 pattern/,
		],
		['with a program twice', `${base}programs: [{ name: t }, { name: t }]\n${capability}`, /program t is there twice/],
		[
			'with a content and no place',
			`${base}programs: [{ name: t, sha256: ${'a'.repeat(64)} }]\n${capability}`,
			/"sha256" needs "path"/,
		],
		[
			'with a rule that says nothing',
			`${base}deny: [{ name: a, why: b }]\n${capability}`,
			/say "programs" or "pattern"/,
		],
		['with a capability like one that is not there', `${base}capabilities: { a: { like: b } }`, /"like" leads nowhere/],
		[
			'with capabilities like each other',
			`${base}capabilities: { a: { like: b }, b: { like: a } }`,
			/"like" leads nowhere/,
		],
		[
			'that lets anything run on the device itself',
			`version: 1\nname: x\nprofiles: { d: { backend: direct, user: jobs } }\ncapabilities: { a: { profile: d, programs: [], scripts: free, otherwise: allow } }`,
			/can only run as a free script in a jail/,
		],
		[
			'that lets anything run that is no free script',
			`${base}capabilities: { a: { profile: jail, programs: [], otherwise: allow } }`,
			/can only run as a free script in a jail/,
		],
	])('%s is refused', (_name, text, details) => {
		expect(detailsOf(text)).toMatch(details);
	});

	it.each<[string, string, string]>([
		[
			'a rule',
			'deny: [{ name: no-x, why: b, pattern: "^x", matches: [y] }]\n',
			'rule no-x: "y" must match and does not',
		],
		[
			'a rule',
			'deny: [{ name: no-x, why: b, pattern: "x", ignores: [a x] }]\n',
			'rule no-x: "a x" must not match and does',
		],
		[
			'a program',
			'programs: [{ name: t, flags: "-a", allows: [t -b] }]\n',
			'program t: "t -b" must be decided allow, but program/t says deny: t: the flag -b is not allowed',
		],
		[
			'a program',
			'programs: [{ name: t, flags: "-a", denies: [t -a] }]\n',
			'program t: "t -a" must be decided deny, but program/t says allow: t may be run so',
		],
	])('whose example of %s fails is refused, and says which', (_what, part, details) => {
		expect(detailsOf(base + part + capability)).toBe(`${details}.`);
	});

	it.each([
		['allows: [cat x]', '"cat x" must be decided allow, but default says deny: no rule allows cat'],
		['asks: [ls]', '"ls" must be decided ask, but program/ls says allow: ls may be run so'],
		['denies: [ls]', '"ls" must be decided deny, but program/ls says allow: ls may be run so'],
	])('whose capability fails on %s is refused', (examples, details) => {
		const text = `${base}capabilities: { shell.run: { profile: jail, programs: [ls], ${examples} } }`;
		expect(detailsOf(text)).toBe(`capability shell.run: ${details}.`);
	});

	it('takes over what a capability is like, but not its examples', () => {
		const { capabilities } = loadPolicy(`${base}
capabilities:
  a: { profile: jail, programs: [ls], requiresApproval: true, timeoutMs: 5000, asks: [ls] }
  a.b: { like: a, requiresApproval: false, allows: [ls] }
`);
		const { requiresApproval, timeoutMs, programs, asks } = capabilities.get('a.b') ?? {};
		expect([requiresApproval, timeoutMs, programs, asks]).toEqual([false, 5000, ['ls'], []]);
	});

	it('can replace a program that comes with the agent by one of its own', () => {
		const policy = loadPolicy(
			`${base}programs: [{ name: ls, flags: "-z", allows: [ls -z], denies: [ls -l] }]\n${capability}`,
		);
		expect([...(policy.programs.get('ls')?.flags.keys() ?? [])]).toEqual(['-z']);
	});
});
