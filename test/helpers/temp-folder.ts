/** A folder that goes away with the test that asked for it. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Every user may enter it, as they may enter the data folder. */
export function tempFolder(): string {
	const path = mkdtempSync(join(tmpdir(), 'secure-code-test-'));
	chmodSync(path, 0o755);
	onTestFinished(() => rmSync(path, { recursive: true, force: true }));
	return path;
}
