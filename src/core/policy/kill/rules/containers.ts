/** Leaving a container, or making one that is none. Pure. */
import { operands, type Started } from '../started.ts';
import type { KillRule } from './rule.ts';

const engines = /^(docker|docker-compose|podman|nerdctl|ctr|crictl|runc|crun|lxc|lxc-start|buildah|kubectl|oc)$/;
const starting = /^(run|create|exec|start|c|container|compose|up|build|debug|init|launch)$/;

const openingFlags =
	/^--(privileged(=true)?|cap-add[= ]?(all|sys_admin|sys_ptrace|sys_module|sys_rawio|dac_read_search|net_admin)?|(pid|ipc|uts|userns|cgroupns|net|network)=host|device(-cgroup-rule)?(=.*)?|security-opt[= ]?(seccomp|apparmor|label|systempaths)[=:](unconfined|disable)|volumes-from(=.*)?|cgroup-parent(=.*)?)$/i;

const joined = (args: readonly string[]): string[] =>
	args.flatMap((arg, i) =>
		/^--(cap-add|pid|ipc|uts|userns|cgroupns|net|network|security-opt)$/.test(arg)
			? [`${arg}=${args[i + 1] ?? ''}`]
			: [arg],
	);

/** A folder of the device inside the container. */
function mountsHost(args: readonly string[]): boolean {
	return args.some((arg, i) => {
		const value = /^(?:-v|--volume|--mount)$/.test(arg)
			? (args[i + 1] ?? '')
			: (/^(?:-v|--volume=|--mount=)(.+)$/.exec(arg)?.[1] ?? '');
		const source = value.includes('=') ? (/(?:^|,)(?:source|src)=([^,]*)/.exec(value)?.[1] ?? '') : value.split(':')[0];
		return /^[/~]/.test(source ?? '');
	});
}

function opensContainer({ name, args }: Started): boolean {
	if (
		!engines.test(name) ||
		!operands(args)
			.slice(0, 2)
			.some((word) => starting.test(word))
	)
		return false;
	return (
		mountsHost(args) ||
		joined(args).some((arg) => openingFlags.test(arg)) ||
		args.some((arg) => /"?privileged"?\s*[:=]\s*true/i.test(arg))
	);
}

const sockets = /(^|[/=:@])(docker|containerd|crio|podman|cri-dockerd|lxd|snapd)\.sock(et)?($|[:,/])/;
const talkers =
	/^(curl|socat|nc|ncat|wget|http|python[\d.]*|perl|ruby|node|docker|podman|nerdctl|ctr|crictl|ssh|websocat|busybox|ln|mount|chmod|chown|cp|mv)$/;

/** Talking to what starts containers past its own program. */
const usesSocket = ({ name, args, fact }: Started): boolean =>
	(talkers.test(name) && args.some((arg) => sockets.test(arg))) ||
	fact.redirects.some(({ target }) => sockets.test(target));

function entersHost({ name, args }: Started): boolean {
	const words = args.join(' ');
	if (name === 'nsenter')
		return /(^| )(-t ?1|--target[= ]1|-a|--all|-m|--mount)( |=|$)/.test(words) || /\/proc\/1\//.test(words);
	if (name === 'chroot') return /^\/(host|hostfs|mnt|rootfs|proc\/1\/root)(\/|$)/.test(operands(args)[0] ?? '');
	return name === 'mount' && /(^| )(-t cgroup2?|--bind \/ )/.test(`${words} `);
}

export const containerRules: readonly KillRule[] = [
	{
		name: 'container-escape',
		what: 'open a container to the device, or leave one',
		command: (started) => opensContainer(started) || usesSocket(started) || entersHost(started),
	},
];
