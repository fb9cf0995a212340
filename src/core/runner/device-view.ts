/** Turns a profile into what a jailed command sees of this device: which paths, read-only or not, and what stays hidden. */
import { posix } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { fixedLimits } from '../../contract/limits.ts';
import { type HostMount, isAtOrBelow, isBelow, mountsBelow, pathsOf } from '../host/mounts.ts';
import type { BoxMount, DeviceView } from '../sandbox/backend.ts';
import { alwaysHidden } from './hidden.ts';
import type { Device } from './look.ts';
import type { Profile } from './profile.ts';

export interface ViewParts {
	readonly name: string;
	readonly profile: Profile;
	readonly device: Device;
	/** Folder of the agent and whatever else must never be shown. */
	readonly hidden: readonly string[];
	/** Whether our own user stands behind jobs. */
	readonly isOwnUser: boolean;
	readonly user: DeviceView['user'];
	/** Home folder of our own user; what a job writes there, programs of that user run one day. */
	readonly home: string;
	/** Where what jobs bring along lies while they run; its names can be seen, and its files are for the user of a job. */
	readonly inputs: string;
	/** Sources of the writable mounts of all profiles: there a job can put a link where a folder was. */
	readonly writableSources: readonly string[];
	readonly cwd: string | null;
	readonly workBytes: number;
	readonly hostName: string;
}

/** A mount of the profile, looked up on the device. */
interface Shown {
	/** Where it lies on the device, no part of it a link. */
	readonly source: string;
	readonly path: string;
	readonly isFolder: boolean;
	readonly isWritable: boolean;
	readonly isMandatory: boolean;
}

type Bind = Extract<BoxMount, { kind: 'bind' }>;
type Hide = Extract<BoxMount, { kind: 'hide' }>;

export const workFolder = '/work';

/** What the jail makes itself; nothing of the device can take its place. */
const ownPlaces = ['/proc', '/dev', '/opt/secure-code'];

/** File systems that are no files: what is mounted of them inside a shown folder is covered. */
const pseudoTypes = ['proc', 'devtmpfs', 'devpts', 'autofs', 'mqueue', 'bpf', 'tracefs', 'debugfs', 'securityfs'];

const isPlain = (path: string): boolean => posix.normalize(path) === path && (path === '/' || !path.endsWith('/'));

const moved = (path: string, { source, path: target }: Pick<Shown, 'source' | 'path'>): string =>
	posix.join(target, posix.relative(source, path));

/** Every refusal names the profile and the mount: whoever wrote the policy must act. */
function refuse({ name }: ViewParts, details: string): never {
	throw new KnownError('PROFILE_UNUSABLE', { profile: name, details });
}

function checkPlaces(parts: ViewParts): void {
	const targets = parts.profile.mounts.map(({ path, as = path }) => as);
	for (const path of [...targets, ...parts.profile.mounts.map((mount) => mount.path)]) {
		if (!isPlain(path)) refuse(parts, `${path} is not written in its shortest form`);
		if (path === '/') refuse(parts, '/ cannot be shown as a whole; name the folders that commands need');
	}
	for (const path of targets) {
		if (ownPlaces.some((own) => isAtOrBelow(path, own))) refuse(parts, `${path} belongs to the jail itself`);
		if (targets.filter((other) => other === path).length > 1) refuse(parts, `${path} is shown twice`);
	}
	for (const { path } of parts.profile.mounts)
		if (['/proc', '/dev'].some((own) => isAtOrBelow(path, own))) refuse(parts, `${path} cannot be shown`);
}

/** What must not be seen, wherever else on the device the same files are. */
function hiddenPaths({ profile, device, hidden }: ViewParts): string[] {
	const real = [...alwaysHidden, ...hidden, ...profile.masks].map((path) => device.realpath(path));
	return [...new Set(real.flatMap((path) => (path === undefined ? [] : pathsOf(device.mounts, path))))];
}

function lookUp(parts: ViewParts, mount: Profile['mounts'][number], hidden: readonly string[]): Shown | undefined {
	const { device, isOwnUser, user, home, inputs, writableSources } = parts;
	const source = device.realpath(mount.path);
	if (source === undefined && mount.isOptional) return undefined;
	if (source === undefined) return refuse(parts, `${mount.path} does not exist; "isOptional" leaves it out`);
	const kind = device.kindOf(source);
	if (kind !== 'folder' && kind !== 'file') refuse(parts, `${mount.path} is neither a folder nor a file`);
	if (hidden.some((path) => isAtOrBelow(source, path))) refuse(parts, `${mount.path} stays hidden whatever is mounted`);
	if (mount.isWritable && hidden.some((path) => isBelow(path, source)))
		refuse(parts, `${mount.path} cannot be writable, because something lies in it that stays hidden`);
	if (mount.isWritable && isOwnUser && isAtOrBelow(home, source))
		refuse(parts, `${mount.path} cannot be writable, because the home folder of the agent's own user lies in it`);
	if (user && !isOwnUser && isAtOrBelow(inputs, source))
		refuse(parts, `${mount.path} holds what other jobs of the same user bring along; leave "user" out, or mount less`);
	if (isOwnUser && writableSources.some((writable) => isBelow(source, writable)))
		refuse(parts, `${mount.path} lies in a folder that jobs can change`);
	return {
		source,
		path: mount.as ?? mount.path,
		isFolder: kind === 'folder',
		isWritable: mount.isWritable,
		isMandatory: !mount.isOptional,
	};
}

/** A place for a mount can be made in memory, but never in a folder of the device: there it must be. */
function checkNesting(parts: ViewParts, shown: readonly Shown[]): Shown[] {
	return shown.filter((inner) => {
		const outer = shown
			.filter(({ path }) => isBelow(inner.path, path))
			.sort((a, b) => b.path.length - a.path.length)[0];
		if (!outer || isExpanded(outer)) return true;
		if (outer.isWritable) refuse(parts, `${inner.path} lies in the writable ${outer.path}`);
		const place = posix.join(outer.source, posix.relative(outer.path, inner.path));
		if (parts.device.realpath(place) === place) return true;
		if (inner.isMandatory) refuse(parts, `${outer.path} holds no place for ${inner.path}`);
		return false;
	});
}

/** A folder that holds a place of the jail itself is shown entry by entry. */
const isExpanded = ({ path }: Shown): boolean => ownPlaces.some((own) => isBelow(own, path));

const bindOf = ({ source, path, isWritable, isMandatory }: Shown): Bind => ({
	kind: 'bind',
	hostPath: source,
	path,
	isWritable,
	isMandatory,
});

function entriesOf({ device }: ViewParts, folder: Shown): BoxMount[] {
	return device.entries(folder.source).flatMap((name): BoxMount[] => {
		const source = posix.join(folder.source, name);
		const path = posix.join(folder.path, name);
		const kind = device.kindOf(source);
		if (ownPlaces.includes(path)) return [];
		if (kind === 'link') return [{ kind: 'link', path, target: device.linkTarget(source) ?? '' }];
		const isShown = kind === 'folder' || kind === 'file';
		return isShown ? [bindOf({ ...folder, source, path, isMandatory: false })] : [];
	});
}

/** What is mounted inside a shown folder comes along with rights of its own, so it is mounted once more with ours. */
function submounts({ device }: ViewParts, folder: Shown): BoxMount[] {
	return mountsBelow(device.mounts, folder.source).flatMap(({ point, type }: HostMount): BoxMount[] => {
		const path = moved(point, folder);
		const isMandatory = device.canReach(point);
		const kind = device.kindOf(point);
		if (pseudoTypes.includes(type)) return [{ kind: 'hide', path, isFolder: kind === 'folder', isMandatory }];
		return kind === 'other' ? [] : [bindOf({ ...folder, source: point, path, isMandatory })];
	});
}

function hidesIn({ device }: ViewParts, folder: Shown, hidden: readonly string[]): Hide[] {
	return hidden
		.filter((path) => isBelow(path, folder.source))
		.map((path) => ({
			kind: 'hide',
			path: moved(path, folder),
			isFolder: device.kindOf(path) === 'folder',
			isMandatory: device.canReach(path),
		}));
}

/** On most systems /bin and /lib are links into /usr; without them no program finds its loader. */
function systemLinks({ device }: ViewParts, shown: readonly Shown[]): BoxMount[] {
	if (!shown.some(({ path }) => path === '/usr')) return [];
	return ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path): BoxMount[] => {
		const target = device.linkTarget(path);
		const isTaken = shown.some((one) => isAtOrBelow(one.path, path));
		return target === undefined || isTaken ? [] : [{ kind: 'link', path, target }];
	});
}

/** What a command finds writable and empty, unless the profile puts a folder of the device there. */
function memoryFolders({ workBytes }: ViewParts, shown: readonly Shown[]): BoxMount[] {
	const folders: BoxMount[] = [
		{ kind: 'memory', path: workFolder, bytes: workBytes, mode: '0700' },
		{ kind: 'memory', path: '/tmp', bytes: fixedLimits.tmpBytes, mode: '1777' },
	];
	return folders.filter((folder) => !shown.some(({ path }) => path === folder.path));
}

/** With the device's network a command needs to know whom to ask for names, wherever the link to that leads. */
function resolverFiles({ device, profile }: ViewParts, shown: readonly Shown[]): BoxMount[] {
	if (profile.network === 'none') return [];
	return ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf'].flatMap((path): BoxMount[] => {
		const source = device.realpath(path);
		const isShown = (one: string) => shown.some((mount) => isAtOrBelow(one, mount.path));
		if (source === undefined || isShown(source)) return [];
		const place = isShown(path) ? source : path;
		return [{ kind: 'bind', hostPath: source, path: place, isWritable: false, isMandatory: false }];
	});
}

const byDepth = (a: BoxMount, b: BoxMount): number => a.path.split('/').length - b.path.split('/').length;

/** Covers come last, so that nothing lies over them; one inside another has no place. */
function inOrder(mounts: readonly BoxMount[]): BoxMount[] {
	const hides = mounts.filter((mount) => mount.kind === 'hide').sort(byDepth);
	const outermost = hides.filter(
		({ path }, at) => !hides.some((one, index) => isBelow(path, one.path) || (index < at && path === one.path)),
	);
	return [...mounts.filter((mount) => mount.kind !== 'hide').sort(byDepth), ...outermost];
}

/** @throws PROFILE_UNUSABLE when this device cannot show what the profile says, or must not */
export function deviceViewFor(parts: ViewParts): DeviceView {
	checkPlaces(parts);
	const { profile, user, cwd, hostName } = parts;
	const hidden = hiddenPaths(parts);
	const found = profile.mounts.map((mount) => lookUp(parts, mount, hidden)).filter((one) => one !== undefined);
	const shown = checkNesting(parts, found);
	const mounts = inOrder([
		...memoryFolders(parts, shown),
		...systemLinks(parts, shown),
		...shown.flatMap((one) => (isExpanded(one) ? entriesOf(parts, one) : [bindOf(one)])),
		...shown.flatMap((one) => submounts(parts, one)),
		...resolverFiles(parts, shown),
		...shown.flatMap((one) => hidesIn(parts, one, hidden)),
	]);
	// What a user's processes hold can be read through /proc by every other process of that user.
	const processes = profile.showsProcesses && user === null ? 'device' : 'own';
	return { mounts, cwd: cwd ?? workFolder, user, hostName, network: profile.network, processes };
}
