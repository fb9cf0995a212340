/** The manifest of device_agent where the agent goes by it: signed by the operator whose key is pinned, and never an older one than before. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { AgentConfig } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { layoutOf } from './layout.ts';
import { isSignedManifest } from './manifest-signature.ts';
import { writeOwned } from './owned-files.ts';

export interface Manifest {
	/** YAML, as it was signed. */
	readonly text: string;
	readonly version: number;
}

const mostBytes = 1024 * 1024;

const invalid = (details: string, cause?: unknown) =>
	new KnownError('POLICY_INVALID', { details: `the manifest ${details}` }, { cause });

/** Of the manifest only this is read here; the rest is the policy's. Absent: the first one, which had no version. */
const headSchema = z.looseObject({ device_id: z.string(), version: z.int().min(0).default(0) });

const placed = (dir: string, file: string): string => (isAbsolute(file) ? file : join(dir, file));

function read(path: string): Buffer {
	try {
		const bytes = readFileSync(path);
		if (bytes.length <= mostBytes) return bytes;
	} catch (error) {
		throw invalid(`cannot be used, because ${path} cannot be read`, error);
	}
	throw invalid(`cannot be used, because ${path} is longer than ${mostBytes} bytes`);
}

function readKey(path: string): KeyObject {
	const pem = read(path);
	try {
		return createPublicKey(pem);
	} catch (error) {
		throw invalid(`cannot be checked, because ${path} holds no public key`, error);
	}
}

function headOf(text: string): z.infer<typeof headSchema> {
	try {
		return headSchema.parse(parse(text, { maxAliasCount: 0 }));
	} catch (error) {
		throw invalid('is no YAML with the id of a device, and a version or none', error);
	}
}

const versionFile = (dir: string): string => join(layoutOf(dir).state, 'manifest-version');

/** The highest version that this agent ever went by; 0 before the first. What cannot be read is no reason to begin anew. */
function lastVersion(dir: string): number {
	const path = versionFile(dir);
	if (!existsSync(path)) return 0;
	const text = readFileSync(path, 'utf8').trim();
	if (!/^\d{1,15}$/.test(text)) throw invalid(`cannot be checked, because ${path} does not hold a version`);
	return Number(text);
}

/**
 * Reads the manifest of the configuration.
 * @returns undefined when the configuration has none
 * @throws POLICY_INVALID for one that is not signed by the pinned key, is for another device, or is older than the last one
 */
export function readManifest(
	dir: string,
	settings: AgentConfig['deviceAgent'],
	deviceId: string,
): Manifest | undefined {
	const { manifestFile, manifestKeyFile } = settings;
	if (manifestFile === undefined) return undefined;
	if (manifestKeyFile === undefined) throw invalid('needs the public key of its operator: deviceAgent.manifestKeyFile');
	const path = placed(dir, manifestFile);
	const bytes = read(path);
	if (!isSignedManifest(bytes, read(`${path}.sig`), readKey(placed(dir, manifestKeyFile))))
		throw invalid('is not signed by its operator');
	const text = new TextDecoder().decode(bytes);
	const { version, device_id: device } = headOf(text);
	if (device !== deviceId) throw invalid(`is for the device ${device.slice(0, 100)}`);
	const last = lastVersion(dir);
	if (version < last) throw invalid(`has the version ${version}, and ${last} was in use`);
	return { text, version };
}

/** The agent goes by this one from now on, so that no older one is taken any more. */
export function keepManifest(dir: string, { version }: Manifest): void {
	if (version > lastVersion(dir)) writeOwned(versionFile(dir), `${version}\n`, 0o600);
}
