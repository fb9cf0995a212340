/** Judges the commands of a job by the programs, paths and rules of a policy, and commands inside commands as well. Pure. */
import { isForbiddenVariable, objectionToValue } from '../../contract/environment.ts';
import type { DecisionWord, PolicyReason } from '../../contract/policy.ts';
import { type CodeKind, isCodeKind, objectionToCode } from './code/code.ts';
import { isIsolated, needsIsolation } from './code/python-imports.ts';
import { isEnvironmentName } from './environment.ts';
import { commandReasons } from './operator.ts';
import { type Access, isSettings, objectionTo, type Place, placeAt, workspace } from './paths.ts';
import type { Capability, Policy } from './policy.ts';
import { isAddress, possiblePaths } from './programs/any-arguments.ts';
import { startsOthers } from './programs/exec-capable.ts';
import { judgeArguments, short } from './programs/judge.ts';
import type { Program, ValueKind } from './programs/program.ts';
import { objectionToShape } from './programs/values.ts';
import { type ReasonClass, reason } from './reasons.ts';
import type { Values } from './script/expand.ts';
import { after, type Field, fieldOf, knownStart, knownText, pathText, shownCommand } from './script/field.ts';
import { readScript } from './script/read.ts';
import { type List, NotUnderstood } from './script/tree.ts';
import { type FileUse, type Invocation, walkScript } from './script/walk.ts';

/** Commands inside commands inside commands … */
const deepestCommand = 6;

type Objecting = (what: string) => void;
/** How a command is started: by the kernel, by the shell, or by another command. */
type From = 'argv' | 'script' | 'command';

export interface Asked {
	readonly policy: Policy;
	readonly capability: Capability;
	/** Where the job starts. */
	readonly folder: Place;
	/** Whether the job or its profile sets a variable. */
	isSetOutside(name: string): boolean;
	/** Whether "~" is the workspace. */
	readonly isHomeWorkspace: boolean;
}

const isSaid = (why: string | undefined): boolean => why !== undefined;

const textsOf = (values: Values): (string | null)[] =>
	values === null ? [null] : values.map((atoms) => knownText({ atoms, isMany: false }));

export class Judge {
	readonly reasons: PolicyReason[] = [];
	/** Every command so far matched a pattern that approves it. */
	isAutoApproved = true;
	readonly #asked: Asked;
	#folders: readonly Place[] | null;
	#command = '';
	#depth = 0;
	/** Some command may write a file. */
	#isWriting = false;
	/** Commands that would load a file which the job wrote under the name of a module. */
	readonly #importing: string[] = [];

	constructor(asked: Asked) {
		this.#asked = asked;
		this.#folders = [asked.folder];
	}

	argv(words: readonly string[]): void {
		this.#judgeCommand(words.map(fieldOf), 'argv');
		this.#settle();
	}

	/** @throws NotUnderstood */
	script(list: List): void {
		this.#walk(list, this.#asked.folder);
		this.#settle();
	}

	/** What can only be said when the whole script is known: a loop comes back to what stands before a writer. */
	#settle(): void {
		if (!this.#isWriting) return;
		for (const command of this.#importing) {
			this.#command = command;
			this.#sayImporting();
		}
	}

	#sayImporting(): void {
		const why = 'python: modules may be files that a job wrote, unless -I stands before -c; that is not allowed';
		this.isAutoApproved = false;
		this.#say('program', this.#asked.capability.otherwise, 'program/python-imports', why);
	}

	#walk(list: List, folder: Place): void {
		const { isSetOutside } = this.#asked;
		walkScript(list, { folder, isSetOutside, visit: (invocation) => this.#visit(invocation) });
	}

	#say(kind: ReasonClass, word: DecisionWord, rule: string, why: string): void {
		this.reasons.push(reason(kind, word, rule, why, this.#command));
	}

	#visit({ fields, assigned, files, folders }: Invocation): void {
		this.#folders = folders;
		this.#command = shownCommand(fields);
		for (const { name, isExported, values } of assigned) this.#judgeVariable(name, isExported, textsOf(values));
		for (const file of files) this.#judgeFile(file);
		if (fields.length > 0) this.#judgeCommand(fields, 'script');
	}

	/** @param values all that it may become; null: only known when it runs */
	#judgeVariable(name: string, isExported: boolean, values: readonly (string | null)[]): void {
		const { policy, isSetOutside } = this.#asked;
		const isShells = !/[a-z]/.test(name) && isForbiddenVariable(name);
		const reaches = isExported || isSetOutside(name);
		if (isShells) this.#say('environment', 'deny', 'environment/forbidden', `${name} changes how commands run`);
		else if (reaches && !isEnvironmentName(policy.environment, name))
			this.#say('environment', 'deny', 'environment/not-listed', `a job may not set ${name} for its commands`);
		const why = values.map((value) => objectionToValue(name, value)).find((objection) => objection !== undefined);
		if (reaches && why !== undefined) this.#say('environment', 'deny', 'environment/value', why);
	}

	/** @returns where it may lie */
	#judgeFile({ access, field }: FileUse): readonly Place[] {
		const places = this.#placesOf(field);
		const objection =
			typeof places === 'string' ? places : places.map((place) => this.#objectionTo(place, access)).find(isSaid);
		if (objection !== undefined) this.#say('path', 'deny', `path/${access}`, objection);
		if (typeof places === 'string') return [];
		if (access === 'write') this.#judgeWritten(places);
		return places;
	}

	#objectionTo(place: Place, access: Access): string | undefined {
		return objectionTo(this.#asked.policy.paths, place, access);
	}

	#judgeWritten(places: readonly Place[]): void {
		this.#isWriting ||= places.some(
			({ base, names }) => base === 'workspace' || names[0] !== 'dev' || names[1] === 'shm',
		);
		const why = 'a name that begins with a dot, under which programs look for their settings, is not written';
		if (places.some(isSettings)) this.#say('path', this.#asked.capability.otherwise, 'path/settings', why);
	}

	/** Where a path may lead; why it must not stand there, when nobody knows. */
	#placesOf(field: Field): readonly Place[] | string {
		const { isHomeWorkspace } = this.#asked;
		const [first, ...others] = field.atoms;
		const isHome = first?.kind === 'home';
		const path = pathText(isHome ? { ...field, atoms: others } : field);
		const from = isHome ? (isHomeWorkspace ? [workspace] : null) : this.#folders;
		if (path === null) return 'a path that is only known when it runs';
		if (path.startsWith('~')) return 'a path that begins with ~, which programs read in their own way';
		if (from === null && (isHome || !path.startsWith('/')))
			return 'a path below a folder that is only known when it runs';
		const places = (from ?? [workspace]).map((folder) => placeAt(folder, isHome ? `./${path}` : path));
		const known = places.filter((place) => place !== undefined);
		return known.length < places.length ? `${path.slice(0, 120)} leads out of the workspace` : known;
	}

	#judgeCommand(fields: readonly Field[], from: From): void {
		const outer = this.#command;
		const folders = this.#folders;
		this.#command = shownCommand(fields);
		if (++this.#depth > deepestCommand) this.#tooDeep();
		else this.#judgeNamed(fields, from);
		this.#depth--;
		this.#command = outer;
		this.#folders = folders;
	}

	#judgeNamed([first, ...args]: readonly Field[], from: From): void {
		const written = first && knownText(first);
		if (!written) {
			this.#say('script', 'deny', 'script/unknown-command', 'the name of a command is only known when it runs');
			return;
		}
		const { policy, capability } = this.#asked;
		const name = written.slice(written.lastIndexOf('/') + 1);
		this.reasons.push(...commandReasons(policy, capability.name, name, this.#command));
		const program = this.#programOf(name, written);
		const objections = program ? this.#objections(program, args, from) : [`no rule allows ${written.slice(0, 80)}`];
		this.#conclude(name, program ? `program/${name}` : 'default', args, objections);
	}

	/** What lies elsewhere is another program, whatever it is called. */
	#programOf(name: string, written: string): Program | undefined {
		const { policy, capability } = this.#asked;
		if (capability.programs !== '*' && !capability.programs.includes(name)) return undefined;
		const program = policy.programs.get(name);
		return program && (!written.includes('/') || this.#isWhereItLies(program, written)) ? program : undefined;
	}

	#objections(program: Program, args: readonly Field[], from: From): string[] {
		const objections: string[] = [];
		const object = (why: string): void => {
			objections.push(`${program.name}: ${why} is not allowed`);
		};
		if (program.path !== null && this.#depth > 1) object('to start it by another command');
		if (program.isBuiltin && from !== 'script') object('outside of a script');
		if (program.anyArguments) this.#judgeAnyArguments(program, args, object);
		else
			judgeArguments(program, args, {
				object,
				value: (kind, field) => {
					if (kind.kind === 'python') this.#noteImports(field, args);
					this.#judgeValue(kind, field, object);
				},
				command: (fields) => this.#judgeCommand(fields, 'command'),
			});
		return objections;
	}

	#isWhereItLies({ name, path }: Program, written: string): boolean {
		const { policy, capability } = this.#asked;
		if (path !== null) return written === path;
		const folders = policy.profiles[capability.profile]?.path ?? [];
		return capability.absolutePrograms === 'search-path' && folders.some((folder) => written === `${folder}/${name}`);
	}

	#judgeAnyArguments(program: Program, args: readonly Field[], object: Objecting): void {
		if (args.length > program.maxArgs) object(`more than ${program.maxArgs} words`);
		for (const field of args) {
			const known = knownStart(field);
			if (field.isMany || field.atoms[0]?.kind === 'glob' || field.atoms[0]?.kind === 'unknown')
				object('a word that may turn out to be a flag');
			if (program.deniedFlags.has(known.replace(/=.*$/s, ''))) object(`the flag ${known.slice(0, 40)}`);
			if (isAddress(field)) continue;
			for (const path of possiblePaths(field)) this.#judgeFile({ access: 'read', field: path });
		}
		if (program.isExecCapable) object('without approval, because it can start other programs, and that');
	}

	#judgeValue(kind: ValueKind, field: Field, object: Objecting): void {
		const shape = objectionToShape(kind, field);
		if (field.isMany && kind.kind !== 'text') object('a word that may turn out to be several');
		else if (shape !== undefined) object(`"${short(field)}", which is ${shape},`);
		else if (kind.kind === 'path' || kind.kind === 'write') this.#judgePath(kind.kind, field);
		else if (kind.kind === 'folder') this.#folders = this.#judgeFile({ access: 'read', field });
		else if (kind.kind === 'target') this.#judgeTarget(field, object);
		else if (kind.kind === 'assignment') this.#judgeAssignment(field, object);
		else if (kind.kind === 'script') this.#judgeScript(field, object);
		else if (isCodeKind(kind.kind)) this.#judgeCode(kind.kind, field, object);
	}

	/** "-" stands for stdin or stdout. */
	#judgePath(kind: 'path' | 'write', field: Field): void {
		if (knownText(field) !== '-') this.#judgeFile({ access: kind === 'path' ? 'read' : 'write', field });
	}

	#judgeTarget(field: Field, object: Objecting): void {
		if ((pathText(field) ?? '..').split('/').includes('..')) object('a link with ".." in it');
		this.#judgeFile({ access: 'write', field });
	}

	/** In a folder that other jobs may write nobody knows what lies there. */
	#noteImports(code: Field, args: readonly Field[]): void {
		if (isIsolated(args.map(knownText)) || !needsIsolation(knownText(code) ?? '')) return;
		const isForAll = ({ base, names }: Place): boolean =>
			base !== 'workspace' && this.#objectionTo({ base, names }, 'write') === undefined;
		if (this.#folders && !this.#folders.some(isForAll)) this.#importing.push(this.#command);
		else this.#sayImporting();
	}

	#judgeCode(kind: CodeKind, field: Field, object: Objecting): void {
		const text = knownText(field);
		const why = text === null ? 'a program that is only known when it runs' : objectionToCode(kind, text);
		if (why !== undefined) object(why);
	}

	#judgeAssignment(field: Field, object: Objecting): void {
		const name = /^([A-Za-z_][A-Za-z0-9_]*)(=|$)/.exec(knownStart(field))?.[1];
		if (name === undefined) object('a word that is no NAME=value');
		else this.#judgeVariable(name, true, [knownText(after(field, name.length + 1))]);
	}

	/** A script in a word of a command, as in sh -c. */
	#judgeScript(field: Field, object: Objecting): void {
		const text = knownText(field);
		const folders = this.#folders;
		const command = this.#command;
		this.#depth++;
		if (text === null || folders === null) object('a script that is only known when it runs');
		else if (this.#depth > deepestCommand) this.#tooDeep();
		else this.#judgeScriptText(text, folders, object);
		this.#depth--;
		this.#folders = folders;
		this.#command = command;
	}

	#judgeScriptText(text: string, folders: readonly Place[], object: Objecting): void {
		try {
			const list = readScript(text, this.#asked.policy.scripts);
			for (const folder of folders) this.#walk(list, folder);
		} catch (error) {
			if (!(error instanceof NotUnderstood)) throw error;
			if (error.kind === 'dynamic') object(`a script that cannot be understood (${error.message})`);
			else this.#say(error.kind, 'deny', `${error.kind}/script`, error.message);
		}
	}

	#tooDeep(): void {
		this.#say('limit', 'deny', 'limit/depth', 'commands start commands too deeply');
	}

	/** An approval by pattern only takes away what no rule allows; paths and the rules of the operator stay. */
	#conclude(name: string, rule: string, args: readonly Field[], objections: readonly string[]): void {
		const { capability } = this.#asked;
		const words = args.map(knownText);
		const isKnown = words.every((word) => word !== null);
		const approving = isKnown && capability.autoApprove.find(({ regex }) => regex.matches(this.#command));
		const isApproved = approving && (objections.length === 0 || !startsOthers(name, words));
		if (approving && isApproved) this.#say('program', 'allow', 'auto-approve', `"${approving.source}" approves it`);
		else this.isAutoApproved = false;
		if (isApproved) return;
		if (objections.length === 0) this.#say('program', 'allow', rule, `${name} may be run so`);
		const [kind, word] =
			rule === 'default' ? (['default', capability.unlisted] as const) : (['program', capability.otherwise] as const);
		for (const why of objections) this.#say(kind, word, rule, why);
	}
}
