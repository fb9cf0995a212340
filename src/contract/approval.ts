/** A person's answer to a job that the policy asks about. Bound to a digest, good for one run, gone when it expires. */
import { z } from 'zod';
import { commandPlanSchema, policyReasonSchema } from './policy.ts';

/** pending -> approved -> consumed, or pending -> denied | expired | cancelled. An approved one that nobody used expires too. */
export const approvalStates = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'consumed'] as const;
export type ApprovalState = (typeof approvalStates)[number];

export const approvalSchema = z.strictObject({
	approvalId: z.string(),
	jobId: z.string(),
	/** Over device, capability, what runs, cwd, environment, profile and policy: what was approved is what runs. */
	digest: z.string(),
	requester: z.string(),
	capability: z.string(),
	plan: commandPlanSchema,
	cwd: z.string().nullable(),
	/** The command as a person must see it: one line per word or script line, escapes and invisible characters spelled out. */
	shown: z.string(),
	reasons: z.array(policyReasonSchema),
	/** Must be typed in as "APPROVE <id>". */
	isHighRisk: z.boolean(),
	state: z.enum(approvalStates),
	/** Names of those who said yes; `needed` of them make it approved. */
	approvedBy: z.array(z.string()),
	needed: z.int().min(1),
	answeredBy: z.string().nullable(),
	reason: z.string().nullable(),
	requestedAt: z.int(),
	expiresAt: z.int(),
	answeredAt: z.int().nullable(),
});
export type Approval = z.infer<typeof approvalSchema>;

/** A denial must say why. */
export const approvalAnswerSchema = z.discriminatedUnion('answer', [
	z.strictObject({
		answer: z.literal('approve'),
		typed: z.string().optional(),
		reason: z.string().max(1000).optional(),
	}),
	z.strictObject({ answer: z.literal('deny'), reason: z.string().min(1).max(1000) }),
]);
export type ApprovalAnswer = z.infer<typeof approvalAnswerSchema>;
