/** Keeps one principal from flooding the agent: a bucket of tokens, jobs of a day, jobs at a time, the same command again and again. */
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Rates } from './ports.ts';

type Limits = Pick<
	AgentConfig['limits'],
	'burst' | 'requestsPerMinute' | 'jobsPerDay' | 'concurrentPerPrincipal' | 'identicalPerMinute'
>;
type Asked = Parameters<Rates['admit']>[0];
type Refused = NonNullable<ReturnType<Rates['admit']>>;

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Principals that are remembered; the one that was silent longest is forgotten first, and starts with a full bucket. */
const mostPrincipals = 10_000;
/** Commands that are remembered of one principal. */
const mostCommands = 1000;

/** What is known of one principal. */
export interface Flow {
	readonly tokens: number;
	readonly at: number;
	/** How often each command came, by digest, since the minute began. */
	readonly commands: ReadonlyMap<string, number>;
	readonly minuteStart: number;
}

const fresh = (limits: Limits, now: number): Flow => ({
	tokens: limits.burst,
	at: now,
	commands: new Map(),
	minuteStart: now,
});

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

/** What filled up since; a clock that was set back fills nothing. */
function refilled(limits: Limits, flow: Flow, now: number): Flow {
	const passed = Math.max(0, now - flow.at);
	const tokens = Math.min(limits.burst, flow.tokens + (passed * limits.requestsPerMinute) / minuteMs);
	const isNewMinute = now - flow.minuteStart >= minuteMs || now < flow.minuteStart;
	return isNewMinute ? { tokens, at: now, commands: new Map(), minuteStart: now } : { ...flow, tokens, at: now };
}

function refusal(limits: Limits, flow: Flow, asked: Asked): Refused | undefined {
	const { now } = asked;
	if (asked.jobsToday >= limits.jobsPerDay)
		return { details: `${limits.jobsPerDay} jobs a day are allowed`, seconds: seconds(dayMs - (now % dayMs)) };
	if (asked.runningJobs >= limits.concurrentPerPrincipal)
		return { details: `${limits.concurrentPerPrincipal} jobs at a time are allowed`, seconds: 1 };
	if ((flow.commands.get(asked.commandDigest) ?? 0) >= limits.identicalPerMinute)
		return {
			details: `the same command came ${limits.identicalPerMinute} times within a minute`,
			seconds: seconds(flow.minuteStart + minuteMs - now),
		};
	if (flow.tokens < 1)
		return {
			details: `${limits.requestsPerMinute} jobs a minute are allowed`,
			seconds: seconds(((1 - flow.tokens) * minuteMs) / limits.requestsPerMinute),
		};
	return undefined;
}

function counted(flow: Flow, digest: string): Flow {
	const commands = new Map(flow.commands);
	if (commands.size < mostCommands || commands.has(digest)) commands.set(digest, (commands.get(digest) ?? 0) + 1);
	return { ...flow, tokens: flow.tokens - 1, commands };
}

/** The decision on one job, and what is known of the principal after it. A refused job costs nothing. */
export function decideRate(
	limits: Limits,
	flow: Flow | undefined,
	asked: Asked,
): { readonly refused: Refused | undefined; readonly flow: Flow } {
	const now = refilled(limits, flow ?? fresh(limits, asked.now), asked.now);
	const refused = refusal(limits, now, asked);
	return { refused, flow: refused ? now : counted(now, asked.commandDigest) };
}

export class RateLimits implements Rates {
	readonly #limits: Limits;
	readonly #flows = new Map<string, Flow>();

	constructor(limits: Limits) {
		this.#limits = limits;
	}

	admit(asked: Asked): Refused | undefined {
		const { refused, flow } = decideRate(this.#limits, this.#flows.get(asked.principal), asked);
		this.#flows.delete(asked.principal);
		this.#flows.set(asked.principal, flow);
		const oldest = this.#flows.size > mostPrincipals ? this.#flows.keys().next().value : undefined;
		if (oldest !== undefined) this.#flows.delete(oldest);
		return refused;
	}
}
