/** Paths that no profile can show, whatever it mounts. Pure. */

/**
 * Secrets of the device, and sockets of services that do whatever they are told. The agent's own folder is added to them.
 * They are the second wall: the first is that a job runs as a user who may not read them.
 */
export const alwaysHidden: readonly string[] = [
	...['/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-', '/etc/sudoers', '/etc/sudoers.d'],
	...['/etc/ssl/private', '/etc/pki/tls/private', '/run/credentials', '/run/secrets', '/run/user'],
	...['/run/docker.sock', '/run/docker', '/run/containerd', '/run/podman', '/run/crio', '/run/systemd/private'],
	...['/run/dbus', '/run/libvirt', '/run/snapd.socket', '/run/lxd.socket'],
	...['/var/lib/secure-code-agent', '/etc/secure-code-agent'],
];
