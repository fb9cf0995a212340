/** Which environment variables nobody who asks for a job may set, because programs do other things with them than they are told. */

/** What loads code, chooses programs, or changes how words and names are read. Whole names. */
const names = new Set([
	...[
		'PATH',
		'IFS',
		'ENV',
		'BASH_ENV',
		'SHELLOPTS',
		'BASHOPTS',
		'PS4',
		'PROMPT_COMMAND',
		'CDPATH',
		'GLOBIGNORE',
		'FPATH',
	],
	...['ZDOTDIR', 'SHELL', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'USER', 'LOGNAME', 'EDITOR', 'VISUAL', 'PAGER', 'BROWSER'],
	...['LESSOPEN', 'LESSCLOSE', 'LESSEDIT', 'LESSKEY', 'LESSKEYIN', 'LESS', 'MORE', 'GCONV_PATH', 'LOCPATH', 'NLSPATH'],
	...['HOSTALIASES', 'LOCALDOMAIN', 'RES_OPTIONS', 'TERMCAP', 'TERMINFO', 'TERMINFO_DIRS', 'MAILCAPS', 'CLASSPATH'],
	...['JAVA_TOOL_OPTIONS', '_JAVA_OPTIONS', 'JDK_JAVA_OPTIONS', 'MAKEFLAGS', 'MFLAGS', 'MAKEFILES', 'GREP_OPTIONS'],
	...['TAR_OPTIONS', 'GZIP', 'ZIPOPT', 'UNZIP', 'RSYNC_RSH', 'CVS_RSH', 'SUDO_ASKPASS', 'SSH_ASKPASS', 'AWKPATH'],
	...['AWKLIBPATH', 'INPUTRC', 'CURL_HOME', 'WGETRC', 'NOTIFY_SOCKET', 'DOCKER_HOST', 'DOCKER_CONFIG'],
	...['CONTAINER_HOST', 'KUBECONFIG', 'COMSPEC', 'PATHEXT', 'PSMODULEPATH', 'SYSTEMROOT', 'WINDIR', 'APT_CONFIG'],
	...['BC_ENV_ARGS', 'BZIP', 'BZIP2', 'GNUPGHOME', 'HGRCPATH', 'I18NPATH', 'IOCONF', 'LANGUAGE', 'LSOF_ARGS', 'MAGIC'],
	...['MANPATH', 'MANOPT', 'MANROFFOPT', 'PS_FORMAT', 'RIPGREP_CONFIG_PATH', 'RPM_CONFIGDIR', 'TZDIR', 'XZ_DEFAULTS'],
	...['XZ_OPT', 'ZIPINFO', 'ZIPINFOOPT', 'ZSTD_CLEVEL'],
]);

const prefixes = [
	...[
		'LD_',
		'DYLD_',
		'GLIBC_',
		'MALLOC_',
		'GIT_',
		'BASH_',
		'PYTHON',
		'NODE_',
		'NPM_',
		'PERL',
		'RUBY',
		'GEM_',
		'BUNDLE_',
	],
	...['LUA_', 'PHP', 'COR_', 'CORECLR_', 'DOTNET_', 'SYSTEMD_', 'SECURE_CODE_', 'GTK_', 'QT_', 'XDG_', 'DBUS_'],
	...['CARGO_', 'RUSTC', 'RUSTUP_', 'GOFLAGS', 'GOROOT', 'GOPROXY', 'OPENSSL_', 'KRB5', 'SSH_', 'SUDO_'],
];

const suffixes = ['_PRELOAD', 'PAGER', 'EDITOR', '_ASKPASS', '_OPTIONS'];

/** The same list serves the policy, which names the rule, and the runner, which starts nothing that got past it. */
export function isForbiddenVariable(name: string): boolean {
	const upper = name.toUpperCase();
	return (
		!/^[A-Z_][A-Z0-9_]*$/.test(upper) ||
		names.has(upper) ||
		prefixes.some((prefix) => upper.startsWith(prefix)) ||
		suffixes.some((suffix) => upper.endsWith(suffix))
	);
}

/** A language or a time zone by its plain name; programs look for others wherever the value leads. */
const localeName = /^(LANG|LC_[A-Z]+|TZ)$/;
const plainLocale = /^([A-Za-z0-9_@,+-]*(\.[A-Za-z0-9_@,+-]+)*|[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*)$/;

/** @param value null: only known when it runs @returns why a variable must not have a value; undefined when it may */
export function objectionToValue(name: string, value: string | null): string | undefined {
	if (!localeName.test(name) || (value !== null && plainLocale.test(value))) return undefined;
	return `${name} must be the plain name of a language or a time zone`;
}
