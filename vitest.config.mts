import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

// n8n loads this build of n8n-workflow too; the other one is not fit for Node's own loader.
const alias = { 'n8n-workflow': createRequire(import.meta.url).resolve('n8n-workflow') };

// The build puts these files into bundles as text.
const texts = {
	name: 'texts',
	transform: (code: string, id: string) =>
		/\.(service|yaml)$/.test(id) ? { code: `export default ${JSON.stringify(code)};`, map: null } : null,
};

// One project per tier. Limits are generous because the machines that run this are small and shared: speed is measured in bench/.
const tier = (name: string, extra: object = {}) => ({
	resolve: { alias },
	plugins: [texts],
	test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 30_000, ...extra },
});

export default defineConfig({
	test: {
		projects: [
			tier('unit'),
			tier('house', { testTimeout: 120_000 }),
			tier('conformance', {
				testTimeout: 60_000,
				hookTimeout: 300_000,
				fileParallelism: false,
				globalSetup: ['test/helpers/bring-tools.ts', 'test/helpers/bring-nsjail.ts', 'test/helpers/bring-podman.ts'],
			}),
			tier('agent', {
				testTimeout: 60_000,
				hookTimeout: 300_000,
				fileParallelism: false,
				globalSetup: ['test/helpers/bring-tools.ts', 'test/helpers/bring-nsjail.ts', 'test/helpers/bring-podman.ts'],
			}),
			tier('integration', {
				testTimeout: 180_000,
				hookTimeout: 900_000,
				fileParallelism: false,
				globalSetup: ['test/integration/helpers/start-n8n.ts'],
			}),
		],
	},
});
