/** How commands of a device run: one profile of the policy, read by whoever builds the box and by nobody else. */
import { z } from 'zod';

const path = z.string().regex(/^\/[^\0]*$/);

export const profileSchema = z.strictObject({
	/** nsjail: jailed. direct: on the host itself, with its own user, honestly named. docker, podman: in a container. */
	backend: z.enum(['nsjail', 'direct', 'docker', 'podman']).default('nsjail'),
	/** Folders and files of the device that a jailed command sees, read-only unless said otherwise. */
	mounts: z
		.array(
			z.strictObject({
				path,
				/** Absent: where it lies on the device. */
				as: path.optional(),
				isWritable: z.boolean().default(false),
				/** Leave it out when the device does not have it, instead of refusing. */
				isOptional: z.boolean().default(false),
			}),
		)
		.default([]),
	/** Paths that stay hidden whatever is mounted; the agent's own folder always does. */
	masks: z.array(path).default([]),
	/** Show the processes of the device in /proc, and what they were started with. Only where each job has a user of its own. */
	showsProcesses: z.boolean().default(false),
	/** none: no network at all. host: the device's own network. */
	network: z.enum(['none', 'host']).default('none'),
	env: z.record(z.string(), z.string()).default({}),
	/** Fixed search path, in order; nothing of the caller's. */
	path: z.array(path).default(['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']),
	/**
	 * The user of the device that commands run as; must not be the agent's. nsjail may do without: then each job has a user of
	 * its own, who can write nowhere on the device but where everybody can. direct needs one.
	 */
	user: z
		.string()
		.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/)
		.optional(),
	/** direct: run as the agent's own user all the same. Commands can then read the agent's keys and change its records. */
	runsAsAgent: z.boolean().default(false),
	/** docker, podman: images that may be used; the first is the default. [] means none. */
	images: z.array(z.string()).default([]),
	cpus: z.number().positive().optional(),
	memoryBytes: z.int().positive().optional(),
	processes: z.int().positive().optional(),
	timeoutMs: z.int().positive().optional(),
	outputBytes: z.int().positive().optional(),
});
export type Profile = z.infer<typeof profileSchema>;
