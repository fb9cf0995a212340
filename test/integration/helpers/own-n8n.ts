/** An n8n that belongs to one test file, with our packages in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type N8nOptions, type N8nProcess, startN8n } from '../../../scripts/n8n/n8n-process.ts';
import { installPackages } from './install.ts';

export interface OwnN8n {
	readonly userFolder: string;
	start(options?: Partial<N8nOptions>): Promise<N8nProcess>;
	/** Ends what was started, the last one first. */
	remove(): Promise<void>;
}

export async function prepareN8n(): Promise<OwnN8n> {
	const userFolder = mkdtempSync(join(tmpdir(), 'secure-code-n8n-'));
	await installPackages(inject('tarballs'), userFolder);
	const started: N8nProcess[] = [];
	return {
		userFolder,
		start: async (options = {}) => {
			const n8n = await startN8n({ place: inject('place'), userFolder, ...options });
			started.push(n8n);
			return n8n;
		},
		remove: async () => {
			for (const n8n of started.reverse()) await n8n.stop();
			rmSync(userFolder, { recursive: true, force: true });
		},
	};
}
