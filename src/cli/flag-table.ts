/** What a flag is, how a table of flags reads in help, and what was typed. Light: every command loads it. */

interface Flag {
	readonly type: 'string' | 'boolean';
	readonly short?: string;
	readonly multiple?: boolean;
	/** How the value is called in help; absent for a switch. */
	readonly value?: string;
	readonly help: string;
}
export type Flags = Readonly<Record<string, Flag>>;

export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export const text = (values: Values, name: string): string | undefined => {
	const value = values[name];
	return typeof value === 'string' ? value : undefined;
};

export const texts = (values: Values, name: string): string[] => {
	const value = values[name];
	return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
};

export const list = (value: string): string[] =>
	value
		.split(',')
		.map((one) => one.trim())
		.filter((one) => one !== '');

const column = 26;

export function describeFlags(flags: Flags): string {
	return Object.entries(flags)
		.map(([name, flag]) => {
			const typed = `${flag.short ? `-${flag.short}, ` : '    '}--${name}${flag.value ? ` ${flag.value}` : ''}`;
			return `  ${typed.padEnd(column)} ${flag.help}`;
		})
		.join('\n');
}
