/** The word of an outside service on a decision. It can make it stricter and nothing else; no word is a refusal. Pure. */
import { z } from 'zod';
import { decisionWords, type PolicyDecision } from '../../contract/policy.ts';
import { inOrder, reason, strictest } from './reasons.ts';

const answerSchema = z.strictObject({
	decision: z.enum(decisionWords),
	why: z.string().max(300).default('the hook says so'),
});
export type HookAnswer = z.output<typeof answerSchema>;

/** @returns undefined for what is no answer */
export function readHookAnswer(value: unknown): HookAnswer | undefined {
	const result = answerSchema.safeParse(value);
	return result.success ? result.data : undefined;
}

/** Whether there is anything to ask about. */
export const needsHook = ({ decision }: PolicyDecision): boolean => decision !== 'deny';

/** @param answer undefined: the service did not answer, or not so that it could be understood */
export function withHook(decided: PolicyDecision, answer: HookAnswer | undefined): PolicyDecision {
	const told = answer
		? reason('hook', answer.decision, 'hook/answer', answer.why)
		: reason('hook', 'deny', 'hook/no-answer', 'the service that must agree did not answer');
	const reasons = inOrder([...decided.reasons, told]);
	const decision = strictest(reasons);
	const isDenied = decision === 'deny';
	return { ...decided, decision, reasons, ...(isDenied && { plan: null, profile: null, isHighRisk: false }) };
}
