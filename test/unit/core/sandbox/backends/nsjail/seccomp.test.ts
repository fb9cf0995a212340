import { describe, expect, it } from 'vitest';
import { seccompPolicy } from '../../../../../../src/core/sandbox/backends/nsjail/seccomp.ts';

const everywhere =
	'mount, umount, pivot_root, chroot, unshare, setns, ptrace, process_vm_readv, process_vm_writev, kcmp, bpf, ' +
	'perf_event_open, userfaultfd, keyctl, add_key, request_key, open_by_handle_at, name_to_handle_at, init_module, ' +
	'finit_module, delete_module, kexec_load, reboot, swapon, swapoff, quotactl, acct, syslog, personality, vhangup, ' +
	'sethostname, setdomainname, clock_settime, clock_adjtime, settimeofday, adjtimex, fanotify_init, fanotify_mark, ' +
	'mbind, migrate_pages, move_pages, set_mempolicy, vmsplice, lookup_dcookie';

const rest =
	'ERRNO(1) { clone(flags) { (flags & 0x7E020080) != 0 } }, ' +
	'ERRNO(1) { socket(family) { family != 1 && family != 2 && family != 10 } }, ' +
	'ERRNO(1) { socketpair(family) { family != 1 } }, ' +
	'ERRNO(1) { ioctl(fd, request) { (request & 0xFFFFFFFF) == 0x5412 || (request & 0xFFFFFFFF) == 0x541C } }, ' +
	'ERRNO(38) { SYSCALL[425], SYSCALL[426], SYSCALL[427], SYSCALL[428], SYSCALL[429], SYSCALL[430], SYSCALL[431], ' +
	'SYSCALL[432], SYSCALL[433], SYSCALL[435], SYSCALL[438], SYSCALL[442], SYSCALL[447], SYSCALL[467]';

const end = ' } } USE jail DEFAULT ALLOW';

describe('seccompPolicy', () => {
	it.each([
		['x64', ', iopl, ioperm, modify_ldt, uselib, kexec_file_load'],
		['arm64', ''],
	])('is this, whole, on %s', (architecture, more) => {
		expect(seccompPolicy(architecture, true)).toBe(`POLICY jail { ERRNO(1) { ${everywhere}${more} }, ${rest}${end}`);
	});

	it('leaves no memory out of sight where no control group counts it', () => {
		const refused = 'memfd_create, shmget, msgget';
		expect(seccompPolicy('arm64', false)).toBe(`POLICY jail { ERRNO(1) { ${everywhere} }, ${rest}, ${refused}${end}`);
	});

	it.each([
		['device', 'ERRNO(1) { socket(family) { family != 2 && family != 10 } }'],
		[
			'device-network',
			'ERRNO(1) { socket(family, type, protocol) { family != 2 && family != 10 && (family != 16 || protocol != 0) } }',
		],
	] as const)(
		'gives a jail of reach "%s" no socket with a name, for the sockets of the device are in sight',
		(reach, rule) => {
			const pairs = 'ERRNO(1) { socketpair(family, type) { family != 1 || (type & 0xF) == 2 } }';
			const changed = rest
				.replace('ERRNO(1) { socket(family) { family != 1 && family != 2 && family != 10 } }', rule)
				.replace('ERRNO(1) { socketpair(family) { family != 1 } }', pairs);
			expect(seccompPolicy('arm64', true, reach)).toBe(`POLICY jail { ERRNO(1) { ${everywhere} }, ${changed}${end}`);
		},
	);

	it('needs no escape in the configuration of nsjail', () => {
		expect(seccompPolicy('x64', true)).toMatch(/^[ !#-[\]-~]+$/);
	});
});
