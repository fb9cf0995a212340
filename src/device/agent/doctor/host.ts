/** The doctor on the machine: search paths, groups that are as good as root, and who else could start our programs. */
import { existsSync } from 'node:fs';
import { readOptional } from '../../../core/host/read.ts';
import { userName } from '../../../core/host/user.ts';
import type { Profile } from '../../../core/runner/profile.ts';
import { look } from '../ownership.ts';
import { execUser, systemUser } from '../units.ts';
import { failed, ok, reduced, type Step } from './step.ts';

/** Programs are found on the path of their profile; who can write there decides what runs. */
export function pathSteps(profiles: Readonly<Record<string, Profile>>): Step[] {
	const folders = [...new Set(Object.values(profiles).flatMap(({ path }) => path))].filter((path) => existsSync(path));
	const steps = folders.flatMap((folder) => {
		const found = look(folder);
		// /bin and /sbin are links to /usr where the system is merged.
		const isBad = found?.kind === 'writable' || (found?.kind === 'foreign' && !found.detail.endsWith('symbolic link'));
		return isBad && found ? [failed('search path', found.detail, found.fix)] : [];
	});
	return steps.length > 0 ? steps : [ok('search path', `${folders.length} folders, all of root`)];
}

interface Group {
	readonly name: string;
	readonly members: readonly string[];
}

/** Lines of /etc/group: name, password, number, members. */
export const parseGroups = (text: string): Group[] =>
	text
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => {
			const [name = '', , , members = ''] = line.split(':');
			return { name, members: members.split(',').filter((member) => member !== '') };
		});

/** Groups whose members can become root by asking a daemon. */
const rootlike = new Set(['docker', 'lxd', 'incus', 'libvirt', 'disk', 'sudo', 'wheel']);

export function groupSteps(
	text = readOptional('/etc/group') ?? '',
	users: readonly string[] = [userName(), systemUser, execUser],
): Step[] {
	const steps = parseGroups(text)
		.filter(({ name }) => rootlike.has(name))
		.flatMap(({ name, members }) =>
			users
				.filter((user) => user !== 'root' && members.includes(user))
				.map((user) =>
					reduced('groups', `${user} is in the group ${name}, which is as good as root`, `gpasswd -d ${user} ${name}`),
				),
		);
	return steps.length > 0 ? steps : [ok('groups', 'no user of the agent is in a group that is as good as root')];
}
