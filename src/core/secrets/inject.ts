/** Which secrets may become environment variables of a program. Pure. */

/** Linux takes no longer one. */
const longestValue = 131_071;

/**
 * The values travel in nsjail's own environment, where these names steer the loader and the C library of a process outside
 * the jail; the last line are the variables that every program gets from us.
 */
const reserved =
	/^(?:LD_.*|GLIBC_.*|MALLOC_.*|GCONV_PATH|GETCONF_DIR|LOCPATH|LOCALDOMAIN|NIS_PATH|NLSPATH|HOSTALIASES|RES_OPTIONS|RESOLV_.*|TZDIR|PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR)$/i;

export const variableName = /^[A-Za-z_]\w{0,127}$/;

export const isReservedName = (name: string): boolean => reserved.test(name);

const fits = (value: string): boolean => !value.includes('\0') && Buffer.byteLength(value) <= longestValue;

/** @returns why the first of the secrets that a job names cannot be given to it; never a value */
export function secretFault(
	names: readonly string[],
	values: Readonly<Record<string, string>> | undefined,
): string | undefined {
	for (const name of names) {
		const value = values && Object.hasOwn(values, name) ? values[name] : undefined;
		if (value === undefined) return `there is no secret called ${name}`;
		if (isReservedName(name)) return `${name} is a variable of the sandbox itself`;
		if (!fits(value)) return `the value of ${name} does not fit into an environment variable`;
	}
	return undefined;
}
