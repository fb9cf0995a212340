/** Everything that is mounted in a jail, in order, as nsjail reads it. Pure. */
import { fixedLimits } from '../../../../contract/limits.ts';
import type { BoxMount, BoxSpec, DeviceView } from '../../backend.ts';
import { devices, initPath, stdinPath } from '../../image.ts';
import type { JailPlace } from './config.ts';
import type { Fields } from './text-format.ts';

const noPrivileges = { nosuid: true, nodev: true };

const bind = (src: string, dst: string): Fields => ({ src, dst, is_bind: true, ...noPrivileges });

const device = (name: string): Fields => {
	const path = `/dev/${name}`;
	return { src: path, dst: path, is_bind: true, rw: true, nosuid: true, noexec: true };
};

function tmpfs(dst: string, bytes: number, mode: string, inodes: number = fixedLimits.workInodes): Fields {
	const options = `size=${bytes},nr_inodes=${inodes},mode=${mode}`;
	return { dst, fstype: 'tmpfs', rw: true, options, ...noPrivileges };
}

/** Only what concerns processes: nothing of the kernel. */
const proc: Fields = { dst: '/proc', fstype: 'proc', options: 'subset=pid', nosuid: true, nodev: true, noexec: true };

/** A fresh one, which tells about the device but shows no process of it; or the device's own. */
const deviceProc = ({ processes }: DeviceView): Fields =>
	processes === 'device'
		? { ...bind('/proc', '/proc'), noexec: true }
		: { dst: '/proc', fstype: 'proc', nosuid: true, nodev: true, noexec: true };

/** A device that cannot be opened stands for a hidden file, an empty folder that nothing fits in for a hidden folder. */
function hidden(path: string, isFolder: boolean): Fields {
	if (!isFolder) return { ...bind('/dev/null', path), noexec: true };
	return { dst: path, fstype: 'tmpfs', options: 'size=4096,nr_inodes=1,mode=0555', ...noPrivileges, noexec: true };
}

const optional = (isMandatory: boolean): Fields => (isMandatory ? {} : { mandatory: false });

function deviceMount(mount: BoxMount): Fields {
	if (mount.kind === 'link') return { src: mount.target, dst: mount.path, is_symlink: true };
	if (mount.kind === 'memory') return tmpfs(mount.path, mount.bytes, mount.mode);
	if (mount.kind === 'hide') return { ...hidden(mount.path, mount.isFolder), ...optional(mount.isMandatory) };
	const shown = { ...bind(mount.hostPath, mount.path), ...optional(mount.isMandatory) };
	return mount.isWritable ? { ...shown, rw: true } : shown;
}

const streams: Record<string, string> = { fd: '', stdin: '/0', stdout: '/1', stderr: '/2' };

const deviceLinks = Object.entries(streams).map(
	([name, end]): Fields => ({ src: `/proc/self/fd${end}`, dst: `/dev/${name}`, is_symlink: true }),
);

/** An empty root in memory, on which the place of every mount is made; then the device's own paths. */
const emptyRoot: Fields = {
	dst: '/',
	fstype: 'tmpfs',
	options: `size=1048576,nr_inodes=${fixedLimits.workInodes},mode=0755`,
	...noPrivileges,
};

function deviceTree(view: DeviceView, place: JailPlace): Fields[] {
	return [
		emptyRoot,
		...view.mounts.map(deviceMount),
		...devices.map(device),
		...deviceLinks,
		...(place.hasProc ? [deviceProc(view)] : []),
		tmpfs('/dev/shm', fixedLimits.tmpBytes, '1777'),
		bind(`${place.root}${initPath}`, initPath),
		bind(place.stdinPath ?? `${place.root}${stdinPath}`, stdinPath),
	];
}

function sandboxTree(spec: BoxSpec, place: JailPlace): Fields[] {
	return [
		bind(place.root, '/'),
		...Object.entries(place.binds).map(([path, source]) => bind(source, path)),
		...devices.map(device),
		...(place.hasProc ? [proc] : []),
		tmpfs('/work', spec.limits.workBytes, '0700', spec.workInodes),
		tmpfs('/tmp', fixedLimits.tmpBytes, '1777'),
		tmpfs('/dev/shm', fixedLimits.tmpBytes, '1777'),
		...(place.stdinPath === undefined ? [] : [bind(place.stdinPath, stdinPath)]),
		...spec.binds.map((one) => bind(place.later?.[one.path] ?? one.hostPath, one.path)),
	];
}

/** The files of a job; a box that waits shows them before they are written. */
function filesOf({ files }: BoxSpec, { later }: JailPlace): Fields[] {
	return files.map(({ path, content }) => {
		const hostPath = later?.[path];
		return hostPath === undefined ? { src_content: content, dst: path, ...noPrivileges } : bind(hostPath, path);
	});
}

/** Later mounts lie over earlier ones: the tree, libraries, devices, then what is writable, then the job's own files. */
export function mountsFor(spec: BoxSpec, place: JailPlace): Fields[] {
	return [...(spec.device ? deviceTree(spec.device, place) : sandboxTree(spec, place)), ...filesOf(spec, place)];
}
