/** Imports the policy of QuickCMD (allowlist, denylist, approval, sandbox) and what its agent's configuration says about jobs. Pure. */
import { z } from 'zod';
import { invalidPolicy, readYaml } from '../read-yaml.ts';
import { approving, Draft, type Imported } from './imported.ts';

const pattern = z.strictObject({ pattern: z.string().min(1), description: z.string().default('') });
const ignored = z.unknown().optional();

const fileSchema = z.strictObject({
	allowlist: z.array(pattern).nullish(),
	denylist: z.array(pattern).nullish(),
	approval: z
		.strictObject({
			high_risk: z.boolean().default(true),
			require_confirmation: z.boolean().default(false),
			destructive_ops: z.boolean().default(true),
			allowed_users: z.array(z.string()).nullish(),
			require_multi_party: z.boolean().default(false),
		})
		.prefault({}),
	sandbox: z
		.strictObject({
			enabled: z.boolean().default(true),
			default_mode: z.string().optional(),
			network_access: z.boolean().default(false),
			max_cpu: z.union([z.string(), z.number()]).optional(),
			max_memory: z.union([z.string(), z.number()]).optional(),
			max_time_seconds: z.number().positive().optional(),
		})
		.prefault({}),
	secrets: ignored,
	allowed_images: z.array(z.string()).nullish(),
	default_image: z.string().optional(),
	default_cpu_limit: z.number().positive().optional(),
	default_memory_limit: z.number().positive().optional(),
	default_timeout_seconds: z.number().positive().optional(),
	// Of the agent's configuration, not of its policy.
	...Object.fromEntries(
		[
			'port',
			'tls_cert_file',
			'tls_key_file',
			'hmac_secret',
			'allowed_controllers',
			'max_concurrent_jobs',
			'run_as_user',
			'run_as_group',
			'audit_db_path',
		].map((name) => [name, ignored]),
	),
});
type File = z.infer<typeof fileSchema>;

export function importQuickCmd(text: string, base: string): Imported {
	const result = fileSchema.safeParse(readYaml(text) ?? {});
	if (!result.success) return invalidPolicy(`QuickCMD: ${z.prettifyError(result.error).split('\n')[0]}`);
	const file = result.data;
	const draft = new Draft(base, 'quickcmd');
	importProfile(draft, file);
	for (const { pattern: denied, description } of file.denylist ?? [])
		draft.deny(denied, description || 'the denylist says so');
	importCapability(draft, file);
	if (file.secrets !== undefined) draft.notes.push('secrets: output is masked by the agent itself');
	return draft.finish();
}

const units = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;

function bytesOf(size: string | number | undefined): number | undefined {
	if (typeof size !== 'string') return size;
	const [, number = '', unit = ''] = /^(\d+)([kmg]?)b?$/i.exec(size) ?? [];
	return number === '' ? undefined : Number(number) * (units[unit.toLowerCase() as keyof typeof units] ?? 1);
}

function importProfile(draft: Draft, file: File): void {
	const { sandbox } = file;
	const images = [...new Set([...(file.default_image ? [file.default_image] : []), ...(file.allowed_images ?? [])])];
	const seconds = file.default_timeout_seconds ?? sandbox.max_time_seconds;
	const memory = file.default_memory_limit ?? bytesOf(sandbox.max_memory);
	const cpus = file.default_cpu_limit ?? Number(sandbox.max_cpu ?? Number.NaN);
	draft.changeProfile({
		...(images.length > 0 && { backend: 'docker', images, mounts: [], masks: [] }),
		...(seconds !== undefined && { timeoutMs: Math.round(seconds * 1000) }),
		...(memory !== undefined && { memoryBytes: memory }),
		...(cpus > 0 && { cpus }),
	});
	if (sandbox.network_access) draft.notes.push('sandbox.network_access: not taken over; set "network" of the profile');
	if (!sandbox.enabled || sandbox.default_mode === 'direct')
		draft.notes.push('sandbox: jobs run in a jail all the same; "direct" is a backend that a profile must name');
}

/** Without an allowlist everything was allowed; here what nobody understands needs approval, unless no approval was wanted at all. */
function importCapability(draft: Draft, { allowlist, approval }: File): void {
	const allowed = (allowlist ?? []).map(({ pattern: source }) => approving(source));
	const isOpen = allowed.length === 0 && !approval.high_risk && !approval.require_confirmation;
	if (allowed.length > 0)
		draft.notes.push('allowlist: a pattern is held against each simple command, from its beginning');
	if (allowed.length === 0 && !isOpen)
		draft.notes.push('allowlist: it is empty; what is not known to look and compute only needs approval');
	if (approval.require_multi_party)
		draft.notes.push('approval.require_multi_party: set approvals.needed of the configuration');
	if ((approval.allowed_users ?? []).length > 0)
		draft.notes.push('approval.allowed_users: give keys to these, with their capabilities');
	draft.addCapability('shell.run.quickcmd', {
		programs: '*',
		scripts: 'free',
		autoApprove: allowed,
		...(approval.require_confirmation && { requiresApproval: true }),
		otherwise: isOpen ? 'allow' : allowed.length > 0 ? 'deny' : 'ask',
	});
}
