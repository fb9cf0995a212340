/** Judges programs in other languages that stand in a word of a command. Pure. */

const codeKinds = ['python', 'javascript', 'awk', 'sed', 'jq'] as const;
export type CodeKind = (typeof codeKinds)[number];

export const isCodeKind = (kind: string): kind is CodeKind => codeKinds.some((one) => one === kind);

/** @returns why it is not allowed */
export function objectionToCode(kind: CodeKind, _text: string): string | undefined {
	return `a program in ${kind}`;
}
