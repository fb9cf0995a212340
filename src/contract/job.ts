/** One job: what is asked for, and how it ended. The same shapes serve n8n, the command line and the device agent. */
import { z } from 'zod';
import { checkPolicySchema } from './check-policy.ts';
import { findingSchema } from './finding.ts';
import { languageChoiceSchema, languageSchema } from './language.ts';
import { fixedLimits, type LimitName, type LimitRow, limits } from './limits.ts';
import { jobStatuses } from './status.ts';

/** "none": no network. A list: these hosts only, and an empty list means none. "full": every public host. */
export const networkSchema = z.union([z.enum(['none', 'full']), z.array(z.string().min(1).max(260))]);
export type Network = z.infer<typeof networkSchema>;

/** What the kernel takes: so much for one argument or variable, and so much for all of them. */
const wordBytes = 128 * 1024 - 1;
const allWordsBytes = 1024 * 1024;

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

function fitsIntoCommand(job: { argv?: string[] | undefined; env: Record<string, string> }): boolean {
	const variables = Object.entries(job.env).map(([name, value]) => `${name}=${value}`);
	const sizes = [...(job.argv ?? []), ...variables].map((word) => byteLength(word) + 1);
	return Math.max(0, ...sizes) <= wordBytes && sizes.reduce((sum, size) => sum + size, 0) <= allWordsBytes;
}

/** In a command and its variables NUL ends a word. */
const isOneWordEach = (job: { argv?: string[] | undefined; env: Record<string, string> }): boolean =>
	[...(job.argv ?? []), ...Object.values(job.env)].every((word) => !word.includes('\0'));

export const fileNamePattern = /^[^/\0]{1,255}$/;

/** How a bundle of packages may be called. */
export const bundleNamePattern = /^[a-z0-9][a-z0-9_-]{0,40}$/;

/** A module of Python or a package of npm. */
export const moduleNamePattern = /^@?[A-Za-z0-9_][A-Za-z0-9_./-]{0,100}$/;

/** Appears read-only as /work/in/<name>. `path` names a file of the host, `base64` carries the bytes. */
export const jobFileSchema = z
	.strictObject({
		name: z
			.string()
			.regex(fileNamePattern)
			.refine((name) => name !== '.' && name !== '..' && byteLength(name) <= 255, 'is not a file name'),
		path: z.string().optional(),
		base64: z.base64().optional(),
	})
	.refine(
		(file) => (file.path === undefined) !== (file.base64 === undefined),
		'needs exactly one of "path" and "base64"',
	);
export type JobFile = z.infer<typeof jobFileSchema>;

/** These names are ours: interpreters read them before a program. */
const hasNoNameOfOurs = (job: { env: Record<string, string>; secrets: string[] }): boolean =>
	[...Object.keys(job.env), ...job.secrets].every((name) => !name.startsWith('SECURE_CODE_'));

const environmentSchema = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string());

/** Labels say for whom a job runs; a job waits in the queue of its workflow. They never change what a job may do. */
const labelsSchema = z.strictObject({
	workflow: z.string().optional(),
	execution: z.string().optional(),
	item: z.string().optional(),
});

const limitSchema = (row: LimitRow) => z.int().min(row.floor).max(row.ceiling).describe(`${row.what} (${row.unit})`);

/** Absent: the default of the table. A number outside floor and ceiling is refused. */
const limitsSchema = z.strictObject(
	Object.fromEntries(
		Object.entries(limits).map(([name, row]) => [name, limitSchema(row).default(row.default)]),
	) as Record<LimitName, z.ZodDefault<z.ZodInt>>,
);

export const jobRequestSchema = z
	.strictObject({
		code: z.string().optional().describe('A program in `language`.'),
		argv: z.array(z.string()).min(1).max(500).optional().describe('A command and its arguments; no shell reads it.'),
		script: z.string().optional().describe('A Bash script.'),
		language: languageChoiceSchema.default('auto'),
		limits: limitsSchema.prefault({}),
		network: networkSchema.default('none'),
		allowedImports: z
			.array(z.string())
			.optional()
			.describe('Absent: every module of the sandbox. []: no module. Filled: these modules only.'),
		bundle: z
			.string()
			.regex(bundleNamePattern)
			.default('default')
			.describe(
				'The packages that the program finds. Without a bundle of that name "default" has none; "none" never has any.',
			),
		secrets: z.array(z.string()).default([]).describe('Names of secrets that become environment variables.'),
		env: environmentSchema.default({}),
		stdin: z.string().optional(),
		files: z.array(jobFileSchema).default([]),
		data: z.json().optional().describe('Appears as /work/in/data.json.'),
		session: z.string().optional(),
		checkPolicy: checkPolicySchema.prefault({}),
		check: z.boolean().default(true).describe('false: run without the static check. The jail is the same.'),
		warm: z.boolean().default(true).describe('false: a box is made for this job although one may be waiting.'),
		preload: z
			.array(z.string().regex(moduleNamePattern))
			.max(fixedLimits.preloadedModules)
			.default([])
			.describe('Modules that a waiting interpreter imports ahead, where they may be imported.'),
		labels: labelsSchema.prefault({}),
	})
	.refine(
		(job) => [job.code, job.argv, job.script].filter((way) => way !== undefined).length === 1,
		'needs exactly one of "code", "argv" and "script"',
	)
	.refine(hasNoNameOfOurs, 'names of variables and secrets cannot begin with SECURE_CODE_')
	.refine(isOneWordEach, '"argv" and "env" cannot hold a NUL')
	.refine(fitsIntoCommand, '"argv" and "env" are longer than 128 KiB for one word or 1 MiB together');
export type JobRequest = z.infer<typeof jobRequestSchema>;
export type JobRequestInput = z.input<typeof jobRequestSchema>;

/** Words for the model: what happened, and what to do next. Null when there is nothing to say. */
export const problemSchema = z.strictObject({ code: z.string(), message: z.string(), next: z.string() });
export type Problem = z.infer<typeof problemSchema>;

export const outFileSchema = z.strictObject({
	name: z.string().describe('Path below /work/out.'),
	type: z.string().describe('Media type, by what the file holds.'),
	bytes: z.int(),
	preview: z.string().nullable().describe('The beginning of a text file; null for anything else.'),
	path: z.string().nullable().describe('Where the caller finds it; null when no folder was asked for.'),
});
export type OutFile = z.infer<typeof outFileSchema>;

export const jobResultSchema = z.strictObject({
	status: z.enum(jobStatuses),
	exitCode: z.int().nullable(),
	signal: z.string().nullable(),
	stdout: z.string(),
	stderr: z.string(),
	truncated: z.strictObject({ stdout: z.boolean(), stderr: z.boolean() }),
	durationMs: z.number(),
	cpuMs: z.number(),
	peakMemoryBytes: z.int(),
	queuedMs: z.number().describe('How long the job waited for a free slot; not part of durationMs.'),
	language: languageSchema.nullable(),
	backend: z.string().nullable(),
	tier: z.enum(['full', 'reduced']).nullable(),
	start: z.enum(['warm', 'cold']).nullable(),
	findings: z.array(findingSchema),
	files: z.array(outFileSchema),
	problem: problemSchema.nullable(),
});
export type JobResult = z.infer<typeof jobResultSchema>;
