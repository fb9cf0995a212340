/** The policy's word on a job, as a value: what was decided, by which rules, and what exactly may run. */
import { z } from 'zod';

/** Ordered: of all rules that match, the strictest wins. */
export const decisionWords = ['allow', 'ask', 'deny'] as const;
export type DecisionWord = (typeof decisionWords)[number];

/** Which stage a rule belongs to, in the order in which they are asked. */
export const reasonClasses = [
	'limit',
	'syntax',
	'kill-list',
	'capability',
	'role',
	'operator-deny',
	'environment',
	'path',
	'program',
	'script',
	'hook',
	'default',
] as const;

/** One rule that had something to say, in words for the model or the person who reads the refusal. */
export const policyReasonSchema = z.strictObject({
	rule: z.string().describe('Name of the rule, for example "program/git-log" or "kill-list/block-device".'),
	class: z.enum(reasonClasses),
	decision: z.enum(decisionWords),
	why: z.string(),
	/** The simple command that it is about, as its words joined by blanks; absent when it is about the whole job. */
	command: z.string().optional(),
});
export type PolicyReason = z.infer<typeof policyReasonSchema>;

/** A program that the policy knows by its content; with another content it is not started. */
const pins = z.array(z.strictObject({ path: z.string(), sha256: z.string() })).optional();

/** What runs when the job runs: made from the syntax tree that was judged, never the text that came. */
export const commandPlanSchema = z.discriminatedUnion('mode', [
	z.strictObject({ mode: z.literal('argv'), argv: z.array(z.string()).min(1), pins }),
	z.strictObject({ mode: z.literal('script'), script: z.string(), shell: z.enum(['bash', 'sh', 'powershell']), pins }),
]);
export type CommandPlan = z.infer<typeof commandPlanSchema>;

export const policyDecisionSchema = z.strictObject({
	decision: z.enum(decisionWords),
	/** All that was found, the strictest first; the first one decided. */
	reasons: z.array(policyReasonSchema).min(1),
	/** Null when denied. */
	plan: commandPlanSchema.nullable(),
	/** Name of the runner profile of the policy; null when denied. */
	profile: z.string().nullable(),
	/** What the capability and the profile allow at most; absent: what the agent allows. */
	limits: z.strictObject({ timeoutMs: z.int().positive().optional(), outputBytes: z.int().positive().optional() }),
	/** Approval of a job like this must be typed in, not clicked. */
	isHighRisk: z.boolean(),
	/** SHA-256 of the policy that decided, hex. */
	policyHash: z.string(),
});
export type PolicyDecision = z.infer<typeof policyDecisionSchema>;
