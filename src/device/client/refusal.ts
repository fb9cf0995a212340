/** What the refusal of a device means: its policy, the request, too much of it, another service, or nobody knows. Pure. */
import { KnownError, problemFor } from '../../contract/error.ts';
import type { RemoteResult } from '../../contract/remote.ts';
import { type KnownOfJob, type Place, remoteProblem, remoteResult } from './remote-result.ts';

/** Sentences of our own agent that say it. */
const notRun = /^(?:Nothing was run|The (?:command|code) was not run|The agent did nothing)/;

/** It becomes a part of a sentence. */
const withoutStop = (text: string): string => text.replace(/\.$/, '');

/** @param isSure that nothing ran */
export function deviceFailed(why: string, isSure: boolean): KnownOfJob {
	const isNotRun = isSure || notRun.test(why);
	const ran = isNotRun ? 'The command was not run' : 'Whether the command ran is not known';
	return {
		status: 'broken',
		problem: problemFor('DEVICE_FAILED', { details: withoutStop(why), ran }),
		...(!isNotRun && { reliability: 'best_effort' }),
	};
}

/** The words of our own agent are whole sentences already. */
export function deniedByPolicy(why: string, rule = 'of the device'): KnownOfJob {
	const problem = problemFor('POLICY_DENIED', { why, rule });
	return {
		status: 'denied',
		problem: /^The command was not run[:,]/.test(why) ? { ...problem, message: why } : problem,
	};
}

export interface Refused {
	readonly httpStatus: number;
	readonly why: string;
	/** Name of the protocol, for a service that does not speak it. */
	readonly protocol: string;
}

/** Of an answer to a command that was handed in. Throws AGENT_UNREACHABLE where nothing of the protocol answers. */
export function resultOfRefusal(place: Place, { httpStatus, why, protocol }: Refused): RemoteResult {
	if (httpStatus === 403) return remoteResult(place, deniedByPolicy(why));
	if (httpStatus === 429 || httpStatus === 503)
		return remoteProblem(place, 'denied', 'RATE_LIMITED', { details: why, seconds: 5 });
	if (httpStatus === 404 || httpStatus === 405)
		throw new KnownError('AGENT_UNREACHABLE', { details: `what answers there does not speak ${protocol}` });
	if (httpStatus >= 500) return remoteResult(place, deviceFailed(why, false));
	return remoteProblem(place, 'denied', 'REQUEST_INVALID', { details: withoutStop(why) });
}
