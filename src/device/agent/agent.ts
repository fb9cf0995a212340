/** A running agent: its keys, its engine and its listeners, opened in order, reloaded while it runs, stopped without losing a job. */
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { AuditEntry } from '../../contract/audit.ts';
import { KnownError } from '../../contract/error.ts';
import type { Principal } from '../../contract/principal.ts';
import { userName } from '../../core/host/user.ts';
import { AuthFailures } from './auth-failures.ts';
import { type ReadOptions, readConfig } from './config.ts';
import { Engine } from './engine.ts';
import { redeem } from './enrolment.ts';
import type { Face, FaceParts } from './face.ts';
import { mountLocal } from './faces/native.ts';
import { faces as allFaces } from './faces.ts';
import { readKey } from './key-files.ts';
import { FileKeyring } from './keyring.ts';
import { layoutOf } from './layout.ts';
import { type Listener, openListener } from './listener.ts';
import { type Local, openLocal, type Reloaded } from './local.ts';
import type { AgentLog } from './log.ts';
import { Metrics } from './metrics.ts';

export interface AgentOptions extends ReadOptions {
	readonly dir: string;
	readonly version: string;
	readonly acceptsAudit?: boolean;
	createLog(level: AgentConfig['log']['level']): AgentLog;
}

/** After the jobs have ended, answers that are under way get so long to reach their peers. */
const drainMs = 2_000;
const now = (): number => Date.now();

export class Agent {
	readonly log: AgentLog;
	readonly #options: AgentOptions;
	readonly #config: AgentConfig;
	readonly #engine: Engine;
	readonly #keys: FileKeyring;
	readonly #failures = new AuthFailures();
	readonly #metrics: Metrics;
	readonly #stopping = new AbortController();
	#listeners: Listener[] = [];
	#local: Local | undefined;

	private constructor(options: AgentOptions, config: AgentConfig, log: AgentLog) {
		this.#options = options;
		this.#config = config;
		this.log = log;
		this.#metrics = new Metrics(options.version);
		this.#engine = new Engine({
			...{ dir: options.dir, config, log, observer: this.#metrics },
			acceptsAudit: options.acceptsAudit,
			allowsExposed: options.allowsExposed,
		});
		this.#metrics.watch(this.#engine.gauges);
		this.#keys = new FileKeyring({ now, refused: (...failure) => this.#refused(...failure) });
	}

	/** Throws what keeps it from starting, and then nothing is left open. */
	static async start(options: AgentOptions): Promise<Agent> {
		const { config, warnings } = readConfig(options.dir, options);
		const log = options.createLog(config.log.level);
		for (const { detail, fix } of warnings) log.warn({ fix }, detail);
		const agent = new Agent(options, config, log);
		try {
			await agent.#open();
		} catch (error) {
			await agent.stop(0);
			throw error;
		}
		return agent;
	}

	get listeners(): readonly Pick<Listener, 'faces' | 'url'>[] {
		return this.#listeners.map(({ faces, url }) => ({ faces, url }));
	}

	/** Keys, policy and certificates as they are on disk now; what is not valid changes nothing. */
	async reload(): Promise<Reloaded> {
		const problems = [
			...(await this.#try('the keys', () => this.#loadKeys(readConfig(this.#options.dir, this.#options).config))),
			...(await this.#try('the policy', () => this.#engine.reloadPolicy())),
			...(await this.#try('the certificates', async () => {
				for (const listener of this.#listeners) listener.renew();
			})),
		];
		const reloaded = { keys: this.#keys.ids, policyHash: this.#engine.policyHash, problems };
		this.log.info(reloaded, 'reloaded');
		return reloaded;
	}

	/** Takes nothing new, lets what runs end within the time of the configuration, and closes everything. */
	async stop(graceMs = this.#config.stop.graceMs): Promise<void> {
		const closed = Promise.allSettled(this.#listeners.map((listener) => listener.close()));
		await this.#engine.stop(graceMs);
		await this.#local?.close();
		this.#stopping.abort();
		await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, drainMs).unref())]);
		for (const listener of this.#listeners) listener.destroy();
		await closed;
		await this.#record(...this.#failures.flush(Number.POSITIVE_INFINITY), { event: 'agent.stop' });
		this.#engine.close();
	}

	async #open(): Promise<void> {
		await this.#loadKeys(this.#config);
		await this.#engine.record(
			{ event: 'agent.start', detail: { version: this.#options.version } },
			{ event: 'policy.load', policyHash: this.#engine.policyHash },
		);
		await this.#engine.resume();
		this.#local = await this.#openLocal();
		for (const listener of this.#config.listeners)
			this.#listeners.push(
				await openListener({ listener, faces: listener.faces.flatMap(faceOf), face: this.#parts(), log: this.log }),
			);
	}

	#openLocal(): Promise<Local> {
		return openLocal({
			path: layoutOf(this.#options.dir).socket,
			bodyBytes: this.#config.limits.bodyBytes,
			log: this.log,
			reload: () => this.reload(),
			register: (app) => app.server.on('upgrade', mountLocal(app, this.#parts(), localPrincipal()).upgrade),
		});
	}

	async #loadKeys(config: AgentConfig): Promise<void> {
		const { keys } = config;
		const good = keys.filter(({ isRevoked }) => !isRevoked);
		const read = good.map((entry) => readKey(this.#options.dir, entry, this.#options));
		for (const { detail, fix } of read.flatMap(({ warnings }) => warnings)) this.log.warn({ fix }, detail);
		const before = this.#keys.ids;
		await this.#engine.record({
			event: 'key.change',
			detail: {
				good: good.map(({ id, notAfter }) => ({ id, ...(notAfter !== undefined && { notAfter }) })),
				gone: before.filter((id) => !good.some((entry) => entry.id === id)),
			},
		});
		this.#keys.replace(read);
		this.#engine.keysChanged(config);
	}

	#parts(): FaceParts {
		return {
			config: this.#config,
			version: this.#options.version,
			dir: this.#options.dir,
			jobs: this.#engine.jobs,
			approvals: this.#engine.approvals,
			keys: this.#keys,
			programs: (capability) => this.#engine.programs(capability),
			capabilities: () => this.#engine.capabilities(),
			enroll: (token, publicKey) => this.#enroll(token, publicKey),
			log: this.log,
			metrics: () => this.#metrics.text(),
			auditStatus: () => this.#engine.auditStatus(),
			recordRefusal: (...refused) => this.#engine.recordRefusal(...refused),
			counts: () => this.#metrics.counts(),
			stopping: this.#stopping.signal,
		};
	}

	/** The new key is read like every other one, and the audit says so before it is good. */
	async #enroll(token: string, publicKey: string): Promise<{ keyId: string; principal: string }> {
		const { id, principal } = await redeem(this.#options.dir, token, publicKey);
		await this.#loadKeys(readConfig(this.#options.dir, this.#options).config);
		return { keyId: id, principal };
	}

	#refused(...[face, reason, peer]: Parameters<FileKeyring['refused']>): void {
		this.#metrics.authFailed(face, reason);
		void this.#record(...this.#failures.count(face, reason, peer, now()));
	}

	/** For lines that nobody waits for: a failure is told, not thrown. */
	async #record(...entries: AuditEntry[]): Promise<void> {
		await this.#engine.record(...entries).catch((error: Error) => {
			this.log.error({ error: error.message }, 'the audit could not be written');
		});
	}

	/** @returns what is wrong, in words */
	async #try(what: string, act: () => Promise<unknown>): Promise<string[]> {
		try {
			await act();
			return [];
		} catch (error) {
			const message = KnownError.is(error) ? error.problem.message : (error as Error).message;
			this.log.error({ error: message }, `${what} could not be loaded, so nothing changed`);
			return [message];
		}
	}
}

/** The socket lets nobody in but the user of the agent, and root. */
const localPrincipal = (): Principal => ({
	name: `local:${userName()}`,
	roles: ['admin'],
	capabilities: ['*'],
	keyId: null,
	peer: null,
});

function faceOf(name: Face['name']): Face[] {
	const face = allFaces[name];
	return face ? [face] : [];
}
