import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keepManifest, readManifest } from '../../../../src/device/agent/manifest.ts';
import { isSignedManifest, signatureIn, signManifest } from '../../../../src/device/agent/manifest-signature.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const manifest = Buffer.from('device_id: home-wsl\ncapabilities: []\n');

describe('the signature of a manifest', () => {
	const raw = Buffer.from(signManifest(manifest, privateKey), 'base64');

	it.each([
		['as openssl writes it', raw],
		['in base64', Buffer.from(`${raw.toString('base64')}\n`)],
		['in base64url', Buffer.from(raw.toString('base64url'))],
		['in hex', Buffer.from(`${raw.toString('hex')}\n`)],
	])('is read %s', (_, file) => {
		expect(signatureIn(file)).toEqual(raw);
		expect(isSignedManifest(manifest, file, publicKey)).toBe(true);
	});

	it.each(['', 'x', raw.toString('hex').slice(2), `${raw.toString('base64')}A`])('is not %j', (text) => {
		expect(signatureIn(Buffer.from(text))).toBe(undefined);
	});

	it('covers every byte, and is the work of one key', () => {
		const other = generateKeyPairSync('ed25519');
		const changed = Buffer.concat([manifest, Buffer.from('\n')]);
		const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
		expect([
			isSignedManifest(changed, raw, publicKey),
			isSignedManifest(manifest, raw, other.publicKey),
			isSignedManifest(manifest, raw, rsa),
		]).toEqual([false, false, false]);
	});
});

describe('the manifest of an agent', () => {
	const folder = (text: string, key = privateKey) => {
		const dir = tempFolder();
		mkdirSync(join(dir, 'state'));
		writeFileSync(join(dir, 'operator.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
		const put = (changed: string) => {
			writeFileSync(join(dir, 'manifest.yaml'), changed);
			writeFileSync(join(dir, 'manifest.yaml.sig'), signManifest(Buffer.from(changed), key));
		};
		put(text);
		return { dir, put };
	};
	const settings = { unsignedFrom: [], manifestFile: 'manifest.yaml', manifestKeyFile: 'operator.pem' };
	const code = (act: () => unknown): unknown => {
		try {
			return act();
		} catch (error) {
			return (error as { problem?: { message: string } }).problem?.message;
		}
	};

	it('is read when its operator signed it', () => {
		const { dir } = folder('device_id: a\n');
		expect(readManifest(dir, settings, 'a')).toEqual({ text: 'device_id: a\n', version: 0 });
	});

	it('is none where the configuration names none', () => {
		expect(readManifest('/nowhere', { unsignedFrom: [] }, 'a')).toBe(undefined);
	});

	it('never goes back to an older version than the agent went by, also after a restart', () => {
		const { dir, put } = folder('device_id: a\nversion: 3\n');
		const keep = () => {
			const read = readManifest(dir, settings, 'a');
			if (read) keepManifest(dir, read);
			return read?.version;
		};
		expect(keep()).toBe(3);
		put('device_id: a\nversion: 2\n');
		expect(code(keep)).toContain('has the version 2, and 3 was in use');
		put('device_id: a\n');
		expect(code(keep)).toContain('has the version 0, and 3 was in use');
		put('device_id: a\nversion: 3\n# a word\n');
		expect(keep()).toBe(3);
		put('device_id: a\nversion: 5\n');
		expect(readManifest(dir, settings, 'a')?.version).toBe(5);
		put('device_id: a\nversion: 4\n');
		expect([keep(), readFileSync(join(dir, 'state', 'manifest-version'), 'utf8')]).toEqual([4, '4\n']);
	});

	it('is refused when what was in use last cannot be told', () => {
		const { dir } = folder('device_id: a\nversion: 3\n');
		writeFileSync(join(dir, 'state', 'manifest-version'), 'x');
		expect(code(() => readManifest(dir, settings, 'a'))).toContain('does not hold a version');
	});

	it.each([
		[
			'another signed it',
			'device_id: a\nversion: 1\n',
			generateKeyPairSync('ed25519').privateKey,
			'is not signed by its operator',
		],
		['its version is none', 'device_id: a\nversion: -1\n', privateKey, 'no YAML with the id of a device'],
		['its version is a word', 'device_id: a\nversion: new\n', privateKey, 'no YAML with the id of a device'],
		['it is for another device', 'device_id: b\n', privateKey, 'is for the device b'],
		['it is for no device', 'version: 1\n', privateKey, 'no YAML with the id of a device'],
		['it is no YAML', 'a: [\n', privateKey, 'no YAML with the id of a device'],
		['it is a list', '- a\n', privateKey, 'no YAML with the id of a device'],
	])('is refused when %s', (_, text, key, why) => {
		const { dir } = folder(text, key);
		expect(code(() => readManifest(dir, settings, 'a'))).toContain(why);
	});

	it('is refused when it was changed after it was signed', () => {
		const { dir } = folder('device_id: a\nversion: 1\n');
		writeFileSync(join(dir, 'manifest.yaml'), 'device_id: a\nversion: 2\n');
		expect(code(() => readManifest(dir, settings, 'a'))).toContain('is not signed by its operator');
	});

	it('is refused without signature, without key, and with no key at all', () => {
		const { dir } = folder('device_id: a\nversion: 1\n');
		const { manifestKeyFile: _, ...unpinned } = settings;
		expect(code(() => readManifest(dir, unpinned, 'a'))).toContain('deviceAgent.manifestKeyFile');
		expect(code(() => readManifest(dir, { ...settings, manifestKeyFile: 'manifest.yaml' }, 'a'))).toContain(
			'no public key',
		);
		expect(code(() => readManifest(dir, { ...settings, manifestFile: 'operator.pem' }, 'a'))).toContain(
			'cannot be read',
		);
	});

	it('may be signed with openssl', () => {
		const { dir } = folder('device_id: a\nversion: 1\n');
		const path = join(dir, 'operator-private.pem');
		writeFileSync(
			path,
			createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({ type: 'pkcs8', format: 'pem' }),
		);
		const file = join(dir, 'manifest.yaml');
		execFileSync('openssl', ['pkeyutl', '-sign', '-rawin', '-inkey', path, '-in', file, '-out', `${file}.sig`]);
		expect(readManifest(dir, settings, 'a')).toMatchObject({ version: 1 });
	});
});
