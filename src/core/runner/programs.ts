/** Finds a program as a jailed command would: on the profile's search path, through links, in what the view shows. */
import { posix } from 'node:path';
import { isAtOrBelow } from '../host/mounts.ts';
import type { DeviceView } from '../sandbox/backend.ts';
import type { Device } from './look.ts';

/** As many as the kernel follows. */
const mostLinks = 40;

/** Where a path of the jail lies on the device, its links not followed; undefined when it is covered or not shown. */
export function onDevice({ mounts }: DeviceView, path: string): string | undefined {
	if (mounts.some((mount) => mount.kind === 'hide' && isAtOrBelow(path, mount.path))) return undefined;
	const binds = mounts.filter((mount) => mount.kind === 'bind' && isAtOrBelow(path, mount.path));
	const bind = binds.at(-1);
	return bind?.kind === 'bind' ? posix.join(bind.hostPath, posix.relative(bind.path, path)) : undefined;
}

function linkAt(view: DeviceView, device: Device, path: string): string | undefined {
	const own = view.mounts.find((mount) => mount.kind === 'link' && mount.path === path);
	if (own?.kind === 'link') return own.target;
	const source = onDevice(view, path);
	return source === undefined || device.kindOf(source) !== 'link' ? undefined : device.linkTarget(source);
}

/** Follows links as the kernel would inside the jail. */
function follow(view: DeviceView, device: Device, path: string): string | undefined {
	let rest = path.split('/').filter(Boolean);
	let here = '/';
	for (let links = 0; rest.length > 0; ) {
		const [name = '', ...more] = rest;
		const next = posix.join(here, name);
		const target = linkAt(view, device, next);
		rest = more;
		if (target === undefined) here = next;
		else if (++links > mostLinks) return undefined;
		else {
			rest = [...target.split('/').filter(Boolean), ...more];
			if (target.startsWith('/')) here = '/';
		}
	}
	return here;
}

function isProgram(view: DeviceView, device: Device, path: string): boolean {
	const end = follow(view, device, path);
	const source = end === undefined ? undefined : onDevice(view, end);
	return source !== undefined && device.kindOf(source) === 'file' && device.isExecutable(source);
}

/** @returns the path by which the jail starts it; undefined when there is none */
export function programIn(
	view: DeviceView,
	device: Device,
	name: string,
	folders: readonly string[],
): string | undefined {
	const isPath = name.includes('/');
	const candidates = isPath ? [posix.resolve(view.cwd, name)] : folders.map((folder) => posix.join(folder, name));
	return (name === '' ? [] : candidates).find((path) => isProgram(view, device, path));
}
