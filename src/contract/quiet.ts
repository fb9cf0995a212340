/**
 * Variables that every command of a device has: nothing pages, nothing asks, and no settings that a job or a repository could bring are taken
 * for commands. The profile comes after them and may say otherwise. Pure.
 */

/** Settings of git that start programs; what is said here counts more than any file. */
const git: Readonly<Record<string, string>> = {
	'core.fsmonitor': 'false',
	'core.hooksPath': '/dev/null',
	'core.pager': 'cat',
	'core.sshCommand': 'ssh',
	'gpg.program': 'false',
	'gpg.ssh.program': 'false',
	'gpg.ssh.defaultKeyCommand': 'false',
	'gpg.x509.program': 'false',
	'log.showSignature': 'false',
	'protocol.allow': 'never',
	// A folder that looks like the inside of a repository is none.
	'safe.bareRepository': 'explicit',
};

const gitSettings = Object.fromEntries(
	Object.entries(git).flatMap(([key, value], i) => [
		[`GIT_CONFIG_KEY_${i}`, key],
		[`GIT_CONFIG_VALUE_${i}`, value],
	]),
);

/** What a job may set to something else. */
export const usualEnvironment: Readonly<Record<string, string>> = { LANG: 'C.UTF-8', TERM: 'dumb' };

/** What only a profile may set to something else. */
export const quietEnvironment: Readonly<Record<string, string>> = {
	PAGER: 'cat',
	GIT_PAGER: 'cat',
	SYSTEMD_PAGER: 'cat',
	LESSSECURE: '1',
	GIT_TERMINAL_PROMPT: '0',
	GIT_OPTIONAL_LOCKS: '0',
	// The file of the home folder, where a job may write. That of the system belongs to root, and counts.
	GIT_CONFIG_GLOBAL: '/dev/null',
	GIT_CONFIG_COUNT: String(Object.keys(git).length),
	...gitSettings,
	// Packages in the home folder would be loaded by every Python.
	PYTHONNOUSERSITE: '1',
};
