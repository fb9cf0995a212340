/** The exec side of the agent: takes frozen jobs over a socket that only the front can reach, and runs them. */
import { createServer, type Server, type Socket } from 'node:net';
import { KnownError } from '../../../contract/error.ts';
import type { Runner } from '../../../core/runner/runner.ts';
import type { OutputStream, StopReason } from '../../../core/sandbox/backend.ts';
import type { Log } from '../face.ts';
import { Link } from './link.ts';
import { type FromExec, type FromFront, fromFrontSchema, mostBytes, pieceBytes } from './messages.ts';
import { claimSocket } from './socket-file.ts';

/** A front says what it wants at once. */
const firstWordMs = 10_000;
/** More than an agent can be configured to run at a time. */
const mostConnections = 512;

export interface ExecParts {
	readonly socketPath: string;
	/** The runner for jobs that begin now; it may be another after the policy was read again. */
	runner(): Runner;
	readonly log: Log;
}

export interface ExecServer {
	/** Ends what runs, and resolves when nothing of it is left. */
	close(): Promise<void>;
}

type FrontLink = Link<FromFront, FromExec>;

/** One connection: one job, or one question. A front that goes away takes its job with it. */
class Visit {
	readonly #parts: ExecParts;
	readonly #link: FrontLink;
	readonly #stop = new AbortController();
	readonly #timer: NodeJS.Timeout;
	#isBusy = false;
	/** Resolves when nothing of the visit is left on the host. */
	over: Promise<void>;

	constructor(socket: Socket, parts: ExecParts) {
		this.#parts = parts;
		this.#link = new Link(socket, {
			schema: fromFrontSchema,
			mostBytes: mostBytes.fromFront,
			hear: (message) => this.#hear(message),
			malformed: (details) => this.#malformed(details),
		});
		this.#timer = setTimeout(() => this.#malformed('nothing was asked'), firstWordMs);
		this.over = this.#link.closed;
		void this.#link.closed.then(() => this.stop('cancelled'));
	}

	stop(reason: StopReason): void {
		clearTimeout(this.#timer);
		this.#stop.abort(reason);
	}

	close(): void {
		this.stop('cancelled');
		if (!this.#isBusy) this.#link.destroy();
	}

	#hear(message: FromFront): void {
		clearTimeout(this.#timer);
		if (message.type === 'stop') this.stop(message.reason);
		else if (this.#isBusy) this.#malformed('a second job came over one connection');
		else this.#begin(message);
	}

	#begin(message: Exclude<FromFront, { type: 'stop' }>): void {
		this.#isBusy = true;
		this.over = this.#answer(message);
	}

	#malformed(details: string): void {
		this.#parts.log.warn({ details }, 'the exec side was asked what it does not understand');
		this.stop('cancelled');
		this.#refuse(new KnownError('REQUEST_INVALID', { details }));
	}

	async #answer(message: Exclude<FromFront, { type: 'stop' }>): Promise<void> {
		try {
			if (message.type === 'probe')
				await this.#link.send({ type: 'steps', steps: [...(await this.#parts.runner().probe())] });
			else await this.#run(message.job);
			this.#link.end();
		} catch (error) {
			this.#refuse(error);
		}
	}

	async #run(job: Extract<FromFront, { type: 'run' }>['job']): Promise<void> {
		const outcome = await this.#parts.runner().run(job, {
			stdin: undefined,
			signal: this.#stop.signal,
			onStart: () => void this.#link.send({ type: 'started' }),
			onOutput: (stream, chunk) => this.#print(stream, chunk),
		});
		await this.#link.send({ type: 'outcome', outcome });
	}

	/** A front that does not keep up holds the job back. */
	#print(stream: OutputStream, chunk: Buffer): Promise<void> | undefined {
		let room: Promise<void> | undefined;
		for (let at = 0; at < chunk.length; at += pieceBytes)
			room = this.#link.send({
				type: 'output',
				stream,
				base64: chunk.subarray(at, at + pieceBytes).toString('base64'),
			});
		return room;
	}

	#refuse(error: unknown): void {
		const known = KnownError.is(error) ? error : new KnownError('INTERNAL', { id: 'exec' });
		if (known !== error) this.#parts.log.error({ stack: (error as Error).stack }, 'a bug of the exec side');
		this.#link.send({ type: 'refused', problem: known.problem });
		this.#link.end();
	}
}

export async function openExecServer(parts: ExecParts): Promise<ExecServer> {
	const visits = new Set<Visit>();
	const server = createServer((socket) => {
		const visit = new Visit(socket, parts);
		visits.add(visit);
		socket.once('close', () => void visit.over.then(() => visits.delete(visit)));
	});
	server.maxConnections = mostConnections;
	await claimSocket(server, parts.socketPath);
	return { close: () => closeAll(server, visits) };
}

async function closeAll(server: Server, visits: ReadonlySet<Visit>): Promise<void> {
	server.close();
	for (const visit of visits) visit.close();
	await Promise.all([...visits].map((visit) => visit.over));
}
