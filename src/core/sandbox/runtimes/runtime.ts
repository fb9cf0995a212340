/** What a language brings into a jail: its files, its folders, and how a program of it is started. */
import type { Dialect, Language } from '../../../contract/language.ts';
import type { Limits } from '../../../contract/limits.ts';
import type { BoxFile, WaitingStart } from '../backend.ts';

/** How one program is started. */
export interface Launch {
	readonly argv: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly files: readonly BoxFile[];
	readonly limitAddressSpace: boolean;
	/** How it starts before it has a job: with these words, and these variables beside its own. Absent: it cannot wait. */
	readonly waiting?: WaitingStart | undefined;
}

/** What is done for a program: its variables are kept in its session, its data is in a variable, its figures are saved. */
export type StartWish = 'state' | 'data' | 'figures';

export interface Program {
	readonly code: string;
	readonly dialect: Dialect;
	readonly limits: Limits;
	/** A language does what it can of it. */
	readonly wishes: readonly StartWish[];
}

export interface Runtime {
	readonly language: Language;
	readonly version: string;
	/** Where the interpreter lies on the host. */
	readonly hostProgram: string;
	/** What this interpreter cannot do, and what would help; null when nothing is missing. */
	readonly lack: { readonly detail: string; readonly fix: string } | null;
	/** Single files of the host by their path in the jail. */
	readonly hostFiles: Readonly<Record<string, string>>;
	readonly texts: Readonly<Record<string, string>>;
	readonly links: Readonly<Record<string, string>>;
	/** Folders of the host that appear read-only at the same path. */
	readonly hostFolders: readonly string[];
	/** Folders of the jail that are shown at a second path: path -> where it comes from in the jail. */
	readonly overlays: Readonly<Record<string, string>>;
	launch(program: Program): Launch;
}

/** The program lies beside nothing else and cannot change itself. */
export const programPath = (extension: string): string => `/code/main.${extension}`;
