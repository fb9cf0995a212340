/** Imports the manifest of device_agent: its capabilities with their programs, approvals, blocklists and limits. Pure. */
import { z } from 'zod';
import { invalidPolicy, readYaml } from '../read-yaml.ts';
import { approving, Draft, type Imported } from './imported.ts';

const capabilitySchema = z.strictObject({
	name: z
		.string()
		.regex(
			/^(shell\.exec|shell\.eval|docker\.container\.(list|logs|exec)|fs\.(read|list))(\.[a-z0-9_-]+)*$/,
			'is no capability that is known',
		),
	binaries_allowed: z.array(z.string().min(1)).nullish(),
	requires_approval: z.boolean().default(false),
	shell_mode: z.enum(['auto', 'bash', 'sh', 'powershell']).default('auto'),
	blocklist: z.array(z.string().min(1)).nullish(),
	auto_approve: z.array(z.string().min(1)).nullish(),
	max_output_bytes: z.int().positive().optional(),
	timeout_seconds: z.number().positive().optional(),
});
type ManifestCapability = z.infer<typeof capabilitySchema>;

const manifestSchema = z.strictObject({
	device_id: z.string().min(1),
	operator: z.string().optional(),
	version: z.int().optional(),
	capabilities: z.array(capabilitySchema),
});

export function importDeviceManifest(text: string, base: string): Imported {
	const result = manifestSchema.safeParse(readYaml(text));
	if (!result.success) return invalidPolicy(`manifest: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`);
	const draft = new Draft(base, result.data.device_id);
	for (const capability of result.data.capabilities) importCapability(draft, capability);
	return draft.finish();
}

/** What the original gives a command where the manifest does not say. */
const usualLimits = { max_output_bytes: 1024 * 1024, timeout_seconds: 60 } as const;

function importCapability(draft: Draft, capability: ManifestCapability): void {
	const { name, requires_approval: requiresApproval } = capability;
	const usual = name.startsWith('shell.') ? usualLimits : {};
	const { max_output_bytes: maxOutputBytes, timeout_seconds: seconds } = { ...usual, ...capability };
	draft.addCapability(name, {
		...(name.startsWith('shell.eval') ? evalFields(draft, capability) : execFields(draft, capability)),
		...(requiresApproval && { requiresApproval }),
		...(maxOutputBytes !== undefined && { maxOutputBytes: Math.max(1024, maxOutputBytes) }),
		...(seconds !== undefined && { timeoutMs: Math.min(3_600_000, Math.max(1000, Math.round(seconds * 1000))) }),
	});
	for (const blocked of capability.blocklist ?? [])
		draft.deny(blocked, 'the blocklist of the manifest says so', { ignoresCase: true, capabilities: [name] });
}

/** What the agent itself starts for a capability without a list of programs. */
const ownPrograms: Readonly<Record<string, readonly string[]>> = {
	'docker.container.list': ['docker', 'podman'],
	'docker.container.logs': ['docker', 'podman'],
	'fs.read': ['cat', 'head', 'tail', 'stat', 'wc'],
	'fs.list': ['ls', 'stat', 'find'],
};

function execFields(draft: Draft, { name, binaries_allowed: listed }: ManifestCapability): Record<string, unknown> {
	const kind = Object.keys(ownPrograms).find((one) => name === one || name.startsWith(`${one}.`));
	const programs = kind === undefined ? draft.allow(listed ?? []) : [...(ownPrograms[kind] ?? [])];
	const isContainer = name.startsWith('docker.container.');
	return {
		programs,
		accepts: ['argv'],
		absolutePrograms: 'listed',
		otherwise: 'ask',
		unlisted: 'deny',
		...(isContainer && { containers: ['*'], profile: draft.containerProfile }),
	};
}

function evalFields(draft: Draft, capability: ManifestCapability): Record<string, unknown> {
	const { name, shell_mode: mode, auto_approve: approved, requires_approval: isAsked } = capability;
	if (isAsked && approved == null) draft.notes.push(`${name}: no auto_approve, so every command needs approval`);
	if (!isAsked)
		draft.notes.push(`${name}: any script runs without approval, but only in the jail and within the kill list`);
	return {
		programs: '*',
		accepts: ['script'],
		scripts: 'free',
		shells: mode === 'auto' ? ['bash', 'sh', 'powershell'] : mode === 'bash' ? ['bash', 'sh'] : [mode],
		autoApprove: (approved ?? []).map(approving),
		otherwise: isAsked ? 'ask' : 'allow',
	};
}
