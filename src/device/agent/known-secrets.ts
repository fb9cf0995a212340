/** The secrets that an agent knows itself: keys of clients, its own keys, tokens for other services, and variables of profiles. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { AgentConfig } from '../../contract/agent-config.ts';
import { deviceKeyFile } from '../../core/audit/places.ts';
import type { Profile } from '../../core/runner/profile.ts';
import { createMask, type Mask } from '../../core/secrets/redact.ts';

/** Variables whose value is a secret, by their name. */
const secretName = /(pass(word|wd|phrase)?|secret|token|credential|api_?key|access_?key|private_?key|auth|pwd)s?$/i;

/** Lines of a key file that are long enough to be part of the key. */
const keyLine = /^[A-Za-z0-9+/=]{40,}$/;

/** Clients' tokens are known by their digests only; what a client sends is no secret of ours. */
const isKnown = ({ kind, isRevoked }: AgentConfig['keys'][number]): boolean =>
	(kind === 'hmac' || kind === 'jwt-hs256') && !isRevoked;

type Config = Pick<AgentConfig, 'keys' | 'listeners' | 'ogent'>;

/** @param profiles those of the policy @returns hides each of them in a text or a stream, also when it comes in pieces */
export function maskOfAgent(dir: string, config: Config, profiles: Readonly<Record<string, Profile>>): Mask {
	return createMask(Object.fromEntries([...fileSecrets(dir, config), ...profileSecrets(profiles)]));
}

function fileSecrets(dir: string, { keys, listeners, ogent }: Config): [name: string, value: string][] {
	const files = [
		...keys.filter(isKnown).map(({ id, file }) => [id, file] as const),
		['device-key', deviceKeyFile(dir)] as const,
		...listeners.flatMap(({ tls }, i) => (tls ? [[`tls-key-${i}`, tls.keyFile] as const] : [])),
		...(ogent?.pushTokenFile === undefined ? [] : [['push-token', ogent.pushTokenFile] as const]),
	];
	return files.flatMap(([name, file]) => valuesOf(name, textOf(isAbsolute(file) ? file : join(dir, file))));
}

/** What is not there is nobody's secret; whoever needs the file says so. */
function textOf(path: string): string {
	try {
		return readFileSync(path, 'utf8').trim();
	} catch {
		return '';
	}
}

/** A key in PEM is hidden as a whole and line by line, without the words around it. */
function valuesOf(name: string, text: string): [string, string][] {
	if (!text.startsWith('-----BEGIN ')) return text === '' ? [] : [[name, text]];
	const lines = text.split(/\r?\n/).filter((line) => keyLine.test(line));
	const body = text.replaceAll(/-----[^-]*-----|\s/g, '');
	return [[name, body], ...lines.map((line, i): [string, string] => [`${name}-${i + 1}`, line])];
}

function profileSecrets(profiles: Readonly<Record<string, Profile>>): [string, string][] {
	const all = Object.values(profiles).flatMap(({ env }) => Object.entries(env));
	// Two profiles may call different secrets by the same name.
	return all
		.filter(([name]) => secretName.test(name))
		.map(([name, value], i) => [i === 0 ? name : `${name}-${i}`, value]);
}
