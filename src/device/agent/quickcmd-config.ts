/** The configuration of QuickCMD's own agent (agent-config.yaml), read as it is: what of it a new agent takes over. Pure. */
import { parse } from 'yaml';
import { z } from 'zod';
import { KnownError } from '../../contract/error.ts';
import { weaknessOf } from './key-files.ts';

export interface QuickCmdSettings {
	readonly port: number | undefined;
	/** The certificate and key of the old agent, where they lie. */
	readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
	/** The one secret that all its controllers share. */
	readonly secret: string;
	readonly controllers: readonly string[];
	readonly concurrentJobs: number | undefined;
}

const path = z.string().regex(/^\//, 'must be an absolute path');

/** Images, limits and the like are the policy's, which has an importer of its own. */
const schema = z
	.strictObject({
		port: z.int().min(1).max(65535).optional(),
		tls_cert_file: path.optional(),
		tls_key_file: path.optional(),
		hmac_secret: z.string(),
		allowed_controllers: z.array(z.string().min(1).max(200)).min(1),
		max_concurrent_jobs: z.int().min(1).max(256).optional(),
		allowed_images: z.array(z.string()).nullish(),
		default_image: z.string().optional(),
		run_as_user: z.string().optional(),
		run_as_group: z.string().optional(),
		default_cpu_limit: z.number().optional(),
		default_memory_limit: z.number().optional(),
		default_timeout_seconds: z.number().optional(),
		audit_db_path: z.string().optional(),
	})
	.refine(
		(file) => (file.tls_cert_file === undefined) === (file.tls_key_file === undefined),
		'tls_cert_file and tls_key_file belong together',
	);

const invalid = (details: string, cause?: unknown) =>
	new KnownError('CONFIG_INVALID', { details: `the configuration of QuickCMD: ${details}` }, { cause });

function parseYaml(text: string): unknown {
	try {
		return parse(text, { maxAliasCount: 0 });
	} catch (error) {
		throw invalid('it is no YAML', error);
	}
}

/** Throws CONFIG_INVALID for what does not fit, and for a secret that proves nothing, which it never repeats. */
export function readQuickCmdConfig(text: string): QuickCmdSettings {
	const { data, error } = schema.safeParse(parseYaml(text));
	if (error) throw invalid(z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' '));
	const weakness = weaknessOf(data.hmac_secret);
	if (weakness !== undefined) throw invalid(`hmac_secret: ${weakness}; make one with "openssl rand -hex 32"`);
	const { tls_cert_file: certFile, tls_key_file: keyFile } = data;
	return {
		port: data.port,
		tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
		secret: data.hmac_secret,
		controllers: [...new Set(data.allowed_controllers)],
		concurrentJobs: data.max_concurrent_jobs,
	};
}
