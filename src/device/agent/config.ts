/** Reads the configuration of an agent: strict about its words, its owner and its mode. */
import { readFileSync, statSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { type AgentConfig, agentConfigSchema } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { layoutOf } from './layout.ts';
import { type Exposure, look, lookAtWay } from './ownership.ts';

/** A configuration is a page or two; more is a mistake. */
const mostBytes = 1024 * 1024;

const invalid = (details: string, cause?: unknown) => new KnownError('CONFIG_INVALID', { details }, { cause });

/** The words of an error of zod on one line, the place of each first. */
export const issuesOf = (error: z.ZodError): string =>
	error.issues.map(({ path, message }) => `${path.join('.') || 'config'}: ${message}`).join('; ');

function parseYaml(text: string): unknown {
	try {
		return parse(text, { maxAliasCount: 0 });
	} catch (error) {
		throw invalid((error as Error).message.split('\n')[0] ?? 'it is no YAML', error);
	}
}

/** Throws CONFIG_INVALID with the place of every mistake. */
export function parseConfig(text: string): AgentConfig {
	const parsed = agentConfigSchema.safeParse(parseYaml(text));
	if (!parsed.success) throw invalid(issuesOf(parsed.error), parsed.error);
	refuseDoubles(parsed.data);
	return parsed.data;
}

function refuseDoubles({ keys, listeners }: AgentConfig): void {
	const twice = (names: readonly string[]) => names.find((name, index) => names.indexOf(name) !== index);
	const key = twice(keys.map(({ id }) => id));
	if (key !== undefined) throw invalid(`keys: two have the id ${key}`);
	const face = twice(listeners.flatMap(({ faces }) => faces));
	if (face !== undefined) throw invalid(`listeners: two carry the face ${face}`);
	const place = twice(listeners.filter(({ port }) => port !== 0).map(({ host, port }) => `${host}:${port}`));
	if (place !== undefined) throw invalid(`listeners: two listen on ${place}`);
}

export interface LoadedConfig {
	readonly config: AgentConfig;
	/** What others can read although it need not be so; for the log. */
	readonly warnings: readonly Exposure[];
}

export interface ReadOptions {
	/** The one way around the checks of owner and mode, for file systems that have neither. */
	readonly allowsExposed?: boolean;
}

const refuses: Record<Exposure['kind'], boolean> = { missing: true, foreign: true, writable: true, readable: false };

/** Throws for what others can change; what they can only read is returned. */
export function refuseExposed(found: readonly (Exposure | undefined)[], options: ReadOptions): Exposure[] {
	const exposures = found.filter((exposure) => exposure !== undefined);
	const worst = exposures.find(({ kind }) => refuses[kind] && (kind === 'missing' || options.allowsExposed !== true));
	if (worst) throw invalid(`${worst.detail}; mend it with "${worst.fix}"`);
	return exposures;
}

/** Below this folder lies everything of one agent. */
export function readConfig(dir: string, options: ReadOptions = {}): LoadedConfig {
	const { config } = layoutOf(dir);
	if (!isThere(config)) throw invalid(`${dir} holds no agent; make one with "secure-code agent init --dir ${dir}"`);
	const warnings = refuseExposed([...lookAtWay(dir), look(dir), look(config)], options);
	if (statSync(config).size > mostBytes) throw invalid(`${config} is longer than ${mostBytes} bytes`);
	return { config: parseConfig(readText(config)), warnings };
}

function isThere(path: string): boolean {
	try {
		return statSync(path).isFile();
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EACCES')
			throw new KnownError('PERMISSION', { details: `${path} cannot be read by this user.` });
		return false;
	}
}

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new KnownError('PERMISSION', { details: `${path} cannot be read by this user.` }, { cause: error });
	}
}
