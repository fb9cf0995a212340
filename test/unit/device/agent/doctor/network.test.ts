import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../../src/contract/agent-config.ts';
import type { FaceName } from '../../../../../src/contract/device-job.ts';
import { createCertificate } from '../../../../../src/device/agent/certificate.ts';
import { networkSteps } from '../../../../../src/device/agent/doctor/network.ts';
import type { Face } from '../../../../../src/device/agent/face.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const dayMs = 86_400_000;
const faceOf = (name: FaceName): Face => ({ name, routes: ['GET /health', `GET /${name}`], register: () => undefined });
const configOf = (...listeners: object[]) => agentConfigSchema.parse({ version: 1, device: { id: 'a' }, listeners });
const statuses = (dir: string, config: ReturnType<typeof configOf>, now = Date.now()) =>
	networkSteps(dir, config, faceOf, now).map(({ status, detail }) => `${status}: ${detail}`);

async function folder(): Promise<string> {
	const dir = tempFolder();
	mkdirSync(join(dir, 'tls'));
	const { cert, key } = await createCertificate(['localhost']);
	writeFileSync(join(dir, 'tls', 'cert.pem'), cert);
	writeFileSync(join(dir, 'tls', 'key.pem'), key);
	return dir;
}

const tls = { certFile: 'tls/cert.pem', keyFile: 'tls/key.pem' };

describe('listeners', () => {
	it('in clear are well on loopback and reduced elsewhere', () => {
		const config = configOf({ faces: ['agent3'], port: 1 }, { faces: ['ogent'], host: '10.0.0.1', port: 2 });
		expect(statuses('/', config)).toEqual(['ok: loopback only', 'reduced: keys and output cross the network in clear']);
	});

	it('fail when their faces collide', () => {
		expect(statuses('/', configOf({ faces: ['agent3', 'ogent'], port: 1 }))).toEqual([
			expect.stringContaining('failed: The configuration is not valid: the faces agent3 and ogent cannot share'),
		]);
	});

	it('have a certificate that holds, ends soon, or is over', async () => {
		const dir = await folder();
		const config = configOf({ faces: ['native'], port: 1, tls });
		const inDays = (days: number) => statuses(dir, config, Date.now() + days * dayMs)[1];
		expect([inDays(0), inDays(380), inDays(400)]).toEqual([
			expect.stringMatching(/^ok: good until \d{4}-/),
			expect.stringMatching(/^reduced: good until \d{4}-/),
			'failed: it is not good now',
		]);
	});

	it('fail when certificate and key do not belong together or are not there', async () => {
		const dir = await folder();
		const config = configOf({ faces: ['native'], port: 1, tls });
		writeFileSync(join(dir, 'tls', 'key.pem'), (await createCertificate(['localhost'])).key);
		const mixed = statuses(dir, config)[1];
		expect([mixed, statuses(tempFolder(), config)[1]]).toEqual([
			'failed: certificate and private key do not belong together',
			expect.stringContaining('failed: ENOENT'),
		]);
	});
});
