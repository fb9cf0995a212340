import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../src/contract/agent-config.ts';
import { jobDraftSchema } from '../../../../src/contract/device-job.ts';
import { signManifest } from '../../../../src/device/agent/manifest-signature.ts';
import { readOnlyPolicy } from '../../../../src/device/agent/policies.ts';
import { capabilitiesOf, deciderOf, programsOf, readBook } from '../../../../src/device/agent/policy-book.ts';
import { person } from '../../../helpers/desk.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const manifest = 'device_id: d-1\nversion: 1\ncapabilities: [{ name: shell.exec, binaries_allowed: [ls] }]\n';

function folder(deviceAgent: object = {}) {
	const dir = tempFolder();
	mkdirSync(join(dir, 'state'));
	const put = (name: string, content: string | Buffer) => writeFileSync(join(dir, name), content, { mode: 0o600 });
	put('policy.yaml', readOnlyPolicy);
	put('operator.pem', publicKey.export({ type: 'spki', format: 'pem' }));
	put('manifest.yaml', manifest);
	put('manifest.yaml.sig', signManifest(Buffer.from(manifest), privateKey));
	const config = agentConfigSchema.parse({
		...{ version: 1, device: { id: 'd-1' }, listeners: [{ faces: ['device'], port: 0 }], deviceAgent },
	});
	return readBook({ path: join(dir, 'policy.yaml'), dir, config });
}
const signed = { manifestFile: 'manifest.yaml', manifestKeyFile: 'operator.pem' };

describe('the rules of an agent', () => {
	const says = async (book: ReturnType<typeof folder>, capability: string, ...argv: string[]) => {
		const draft = jobDraftSchema.parse({ capability, command: { mode: 'argv', argv } });
		return (await deciderOf(() => book, 'd-1')(person('a'), draft)).decision;
	};

	it('are those of the policy where there is no manifest', async () => {
		const book = folder();
		expect([book.device, book.hash === book.main.hash, await says(book, 'shell.exec', 'df', '-h')]).toEqual([
			...[null, true, 'allow'],
		]);
	});

	it('are those of the manifest for the capabilities of device_agent, and of the policy for all others', async () => {
		const book = folder(signed);
		expect([
			await says(book, 'shell.exec', 'ls'),
			await says(book, 'shell.exec', 'df', '-h'),
			await says(book, 'fs.read', 'cat', '/etc/hostname'),
			await says(book, 'shell.run', 'df', '-h'),
		]).toEqual(['allow', 'deny', 'deny', 'allow']);
		const names = capabilitiesOf(book).map(({ name }) => name);
		expect([names.includes('shell.exec'), names.includes('fs.read'), names.includes('shell.run')]).toEqual([
			...[true, false, true],
		]);
		expect([programsOf(book, 'shell.exec'), programsOf(book, 'shell.run').includes('df')]).toEqual([['ls'], true]);
		expect(book.hash).not.toBe(book.main.hash);
	});
});
