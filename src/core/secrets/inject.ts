/** Which secrets may become environment variables of a program. Pure. */

/** In bytes, of one value and of all of them. To look for the spellings of more would take longer than the job itself. */
const longestValue = 16_384;
const mostBytes = 65_536;

/**
 * The first names steer the loader and the C library of every process of the jail, our own helpers included; the last are
 * the variables that every program gets from us.
 */
const reserved =
	/^(?:LD_.*|GLIBC_.*|MALLOC_.*|GCONV_PATH|GETCONF_DIR|LOCPATH|LOCALDOMAIN|NIS_PATH|NLSPATH|HOSTALIASES|RES_OPTIONS|RESOLV_.*|TZDIR|PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR)$/i;

export const variableName = /^[A-Za-z_]\w{0,127}$/;

export const isReservedName = (name: string): boolean => reserved.test(name);

const fits = (value: string): boolean => !value.includes('\0') && Buffer.byteLength(value) <= longestValue;

/** @returns why a job cannot have the secrets that it names, or why they cannot be masked; never a value */
export function secretFault(
	names: readonly string[],
	values: Readonly<Record<string, string>> = {},
): string | undefined {
	for (const name of names) {
		if (!Object.hasOwn(values, name)) return `there is no secret called ${name}`;
		if (isReservedName(name)) return `${name} is a variable of the sandbox itself`;
	}
	const misfit = Object.entries(values).find(([, value]) => !fits(value));
	if (misfit) return `the value of ${misfit[0]} has more than ${longestValue} bytes or contains NUL`;
	const bytes = Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
	return bytes > mostBytes ? `the values have more than ${mostBytes} bytes together` : undefined;
}
