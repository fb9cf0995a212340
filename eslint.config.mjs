// n8n's manners for community nodes, in the form for packages that run on one's own n8n.
import communityNodes from '@n8n/eslint-plugin-community-nodes';
import tseslint from 'typescript-eslint';

const manners = communityNodes.configs.recommendedWithoutN8nCloudSupport;

export default [
	{
		...manners,
		files: ['nodes/**/*.ts', 'credentials/**/*.ts', 'src/core/host/**/*.ts', 'package.json'],
		languageOptions: { parser: tseslint.parser, parserOptions: { extraFileExtensions: ['.json'] } },
		linterOptions: { reportUnusedDisableDirectives: 'error' },
	},
	{
		// These files are no nodes; they are linted for what they do to the host, and their errors become node errors in nodes/.
		files: ['src/core/host/**/*.ts'],
		rules: { '@n8n/community-nodes/require-node-api-error': 'off' },
	},
	{
		// Their slots are made from one table of protocols, which the rule cannot read; test/house/package.test.ts asks instead.
		files: ['credentials/RemoteShell*.ts'],
		rules: { '@n8n/community-nodes/credential-test-required': 'off' },
	},
];
