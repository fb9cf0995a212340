/** Asks the service of the policy's hook. Whatever goes wrong there is no answer, and then nothing runs. */
import { readFileSync } from 'node:fs';
import type { JobDraft } from '../../contract/device-job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import type { Principal } from '../../contract/principal.ts';
import { bodyWithin, fetchOverHttp } from '../../core/fetch.ts';
import { type HookAnswer, readHookAnswer } from '../../core/policy/hook.ts';
import type { Policy } from '../../core/policy/policy.ts';
import { inside } from './layout.ts';

export interface HookQuestion {
	readonly deviceId: string;
	readonly principal: Principal;
	readonly draft: JobDraft;
	readonly decision: PolicyDecision;
}

/** What the service is told: no values of variables, and nothing that a job reads. */
const bodyOf = ({ deviceId, principal, draft, decision }: HookQuestion) => ({
	device: deviceId,
	principal: principal.name,
	roles: principal.roles,
	capability: draft.capability,
	command: draft.command,
	cwd: draft.cwd ?? null,
	env: Object.keys(draft.env),
	decision: decision.decision,
	reasons: decision.reasons,
	plan: decision.plan,
	policyHash: decision.policyHash,
});

/** An answer is a word and a reason. */
const mostAnswerBytes = 64 * 1024;

/** @param dir folder of the agent @returns undefined when there is no answer, or none that can be understood */
export async function askHook(
	{ url, timeoutMs, tokenFile }: NonNullable<Policy['hook']>,
	dir: string,
	question: HookQuestion,
): Promise<HookAnswer | undefined> {
	try {
		const token = tokenFile === undefined ? undefined : readFileSync(inside(dir, tokenFile), 'utf8').trim();
		const response = await fetchOverHttp(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
			body: JSON.stringify(bodyOf(question)),
			signal: AbortSignal.timeout(timeoutMs),
		});
		const body = await bodyWithin(response, mostAnswerBytes);
		return response.ok && body ? readHookAnswer(JSON.parse(body.toString())) : undefined;
	} catch {
		return undefined;
	}
}
