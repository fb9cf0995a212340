/** Starts the n8n that the integration tests share, with both packages in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createOwner, type Owner, type Session } from '../../../scripts/n8n/n8n-client.ts';
import { bringN8n, type N8nPlace, startN8n } from '../../../scripts/n8n/n8n-process.ts';
import { installPackages, packPackages, setUpSandbox } from './install.ts';

export const owner: Owner = {
	email: 'owner@example.com',
	password: 'Integration-1',
	firstName: 'Integration',
	lastName: 'Test',
};

declare module 'vitest' {
	interface ProvidedContext {
		/** For tests that start an n8n of their own. */
		place: N8nPlace;
		tarballs: string[];
		/** The n8n that all other tests share. */
		session: Session;
		userFolder: string;
		pid: number;
	}
}

export default async function startSharedN8n({ provide }: TestProject): Promise<() => Promise<void>> {
	await setUpSandbox();
	const place = await bringN8n();
	const tarballs = await packPackages();
	const userFolder = mkdtempSync(join(tmpdir(), 'secure-code-n8n-'));
	await installPackages(tarballs, userFolder);
	const n8n = await startN8n({ place, userFolder });
	provide('place', place);
	provide('tarballs', tarballs);
	provide('session', await createOwner(n8n.baseUrl, owner));
	provide('userFolder', userFolder);
	provide('pid', n8n.pid);
	return async () => {
		await n8n.stop();
		rmSync(userFolder, { recursive: true, force: true });
	};
}
