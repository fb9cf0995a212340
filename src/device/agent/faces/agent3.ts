/** The face that speaks Agent3: one route, a token, three operations; sessions are the jobs of the agent. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isOver, type JobDraft, type JobView } from '../../../contract/device-job.ts';
import type { Principal } from '../../../contract/principal.ts';
import {
	type Agent3Answer,
	type Agent3Request,
	agent3InlineCharacters,
	agent3PageCharacters,
	agent3Refused,
	agent3TimeoutMs,
	agent3TokenHeader,
	decodeAgent3Request,
	encodeAgent3Answer,
} from '../../wire/agent3.ts';
import type { Face, FaceParts } from '../face.ts';
import { type Agent3Outcome, agent3Outcome } from './agent3-outcome.ts';
import { Agent3Output } from './agent3-output.ts';
import { answerFailures, bodyOf, type Failure, failureOf, ignoreContentType, Refusal, takeBytes } from './http.ts';
import { withNote } from './note.ts';

/** After its time a command is being ended; the caller waits so much longer for the rest of its output. */
const graceMs = 2000;
/** What an original kept of stderr, it answered with every read; here as much as one page may hold. */
const stderrCharacters = agent3PageCharacters;

export const agent3Face: Face = {
	name: 'agent3',
	routes: ['POST /'],
	register(app, parts) {
		app.register(async (scope) => new Agent3Routes(parts).addTo(scope));
		return undefined;
	},
};

const draftOf = (script: string): JobDraft => ({
	capability: 'shell.run.agent3',
	command: { mode: 'script', script, shell: 'auto' },
	env: {},
	labels: {},
	timeoutMs: agent3TimeoutMs,
});

const isSessionId = (session: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(session);

const refusedBy = ({ httpStatus, error, reason }: Failure): Agent3Answer => agent3Refused(httpStatus, error, reason);

const noSession = agent3Refused(404, 'Session not found');

const isCut = ({ output }: JobView): boolean =>
	[output.stdout, output.stderr].some(({ storedBytes, totalBytes }) => storedBytes < totalBytes);

class Agent3Routes {
	readonly #parts: FaceParts;
	readonly #output: Agent3Output;
	readonly #principals = new WeakMap<FastifyRequest, Principal>();

	constructor(parts: FaceParts) {
		this.#parts = parts;
		this.#output = new Agent3Output(parts.jobs);
	}

	addTo(scope: FastifyInstance): void {
		const { log, config } = this.#parts;
		takeBytes(scope);
		answerFailures(scope, agent3Face, log, (reply, failure) => send(reply, refusedBy(failure)));
		scope.post('/', {
			bodyLimit: config.limits.bodyBytes,
			onRequest: [(request, reply) => this.#authenticate(request, reply), ignoreContentType],
			handler: async (request, reply) => send(reply, await this.#answer(request)),
		});
	}

	/** Before the body is read. The original says 403 where others say 401. */
	async #authenticate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
		const token = request.headers[agent3TokenHeader];
		const key = typeof token === 'string' ? this.#parts.keys.byToken('agent3', token) : undefined;
		if (key) {
			this.#principals.set(request, { ...key.principal, peer: request.ip });
			return undefined;
		}
		this.#parts.keys.refused('agent3', token === undefined ? 'no token' : 'unknown token', request.ip);
		return send(reply, agent3Refused(403, 'Unauthorized'));
	}

	async #answer(request: FastifyRequest): Promise<Agent3Answer> {
		const principal = this.#principals.get(request);
		if (!principal) return agent3Refused(403, 'Unauthorized');
		const reading = decodeAgent3Request(bodyOf(request));
		return 'refused' in reading ? reading.refused : this.#do(principal, reading.request);
	}

	#do(principal: Principal, request: Agent3Request): Promise<Agent3Answer> {
		if (request.op === 'shell') return this.#shell(principal, request.cmd);
		if (request.op === 'close_session') return this.#close(principal, request.session);
		return this.#read(principal, request.session, request.offset, request.limit);
	}

	async #shell(principal: Principal, cmd: string): Promise<Agent3Answer> {
		const { jobs } = this.#parts;
		const { jobId } = await jobs.submit(principal, { face: 'agent3', draft: draftOf(cmd) });
		const settled = await jobs.settle(jobId, agent3TimeoutMs + graceMs);
		const isDue = !isOver(settled.state) && settled.state !== 'awaiting_approval';
		const job = isDue ? await jobs.cancel(principal, jobId) : settled;
		const outcome = agent3Outcome(job);
		if ('denied' in outcome) throw new Refusal(failureOf(outcome.denied));
		return this.#result(job, outcome);
	}

	async #result(job: JobView, { status, exitCode, note }: Agent3Outcome): Promise<Agent3Answer> {
		const stdout = await this.#output.tail(job, 'stdout', agent3InlineCharacters);
		const stderr = await this.#output.tail(job, 'stderr', agent3InlineCharacters);
		const isShortened = [stdout, stderr].some(({ totalCharacters }) => totalCharacters > agent3InlineCharacters);
		return {
			kind: 'shell',
			stdout: stdout.text,
			stderr: withNote(stderr.text, note),
			exitCode,
			session: job.jobId,
			status: status === 'approval_required' ? status : 'done',
			isTruncated: isShortened || isCut(job),
			totalCharacters: stdout.totalCharacters,
		};
	}

	/** Ids are this principal's own, whatever else its roles let it read elsewhere. */
	#sessionOf(principal: Principal, session: string): JobView | undefined {
		const job = isSessionId(session) ? this.#parts.jobs.get(principal, session) : undefined;
		return job?.face === 'agent3' && job.principal === principal.name && job.output.isKept ? job : undefined;
	}

	async #read(principal: Principal, session: string, offset: number, limit: number): Promise<Agent3Answer> {
		const job = this.#sessionOf(principal, session);
		if (!job) return noSession;
		const outcome = agent3Outcome(job);
		if ('denied' in outcome) throw new Refusal(failureOf(outcome.denied));
		const page = await this.#output.page(job, 'stdout', offset, Math.min(limit, agent3PageCharacters));
		const stderr = await this.#output.tail(job, 'stderr', stderrCharacters);
		return {
			kind: 'page',
			stdout: page.text,
			stderr: withNote(stderr.text, outcome.note),
			exitCode: outcome.exitCode,
			status: outcome.status,
			isTruncated: stderr.totalCharacters > stderrCharacters || isCut(job),
			totalCharacters: page.totalCharacters,
			nextOffset: page.nextOffset,
			isEnd: page.isEnd,
		};
	}

	/** A job that waits or runs ends first: what nobody can read any more must not run. */
	async #close(principal: Principal, session: string): Promise<Agent3Answer> {
		const { jobs } = this.#parts;
		const job = this.#sessionOf(principal, session);
		if (!job) return noSession;
		if (!isOver(job.state)) await jobs.cancel(principal, session);
		return jobs.forget(principal, session) ? { kind: 'closed' } : noSession;
	}
}

function send(reply: FastifyReply, answer: Agent3Answer): FastifyReply {
	const { httpStatus, body } = encodeAgent3Answer(answer);
	return reply.code(httpStatus).send(body);
}
