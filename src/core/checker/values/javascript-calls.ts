/** The calls of JavaScript that give names, texts or paths: indirection and folding in one table. */
import { borrowedCall, type CallSite } from './call-site.ts';
import { decode, decodedTexts } from './decode.ts';
import { baseOf, directoryOf, joinedPaths, normalisePath } from './fold-paths.ts';
import { joined } from './fold-text.ts';
import { moduleRef } from './members.ts';
import {
	anyElement,
	elementsOf,
	HOLE,
	join,
	joinAll,
	knownTexts,
	list,
	number,
	numbersOf,
	object,
	ref,
	rowOf,
	text,
	textsOf,
	unknown,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

type Call = (site: CallSite) => Values;

const argument = (site: CallSite, index: number): Values => site.args[index] ?? unknown;
const first: Call = (site) => argument(site, 0);

function load(site: CallSite): Values {
	const { machine, span } = site;
	const names = argument(site, 0);
	if (textsOf(names).some((name) => name.includes(HOLE)))
		machine.note({ kind: 'dynamic', what: 'import', of: '', span });
	return joinAll(
		knownTexts(names).map((name) => {
			machine.note({ kind: 'import', module: name, span });
			return name.startsWith('.') || name.startsWith('/') ? unknown : moduleRef(machine, name);
		}),
	);
}

const getMember: Call = (site) => site.memberOf(argument(site, 0), argument(site, 1));

const applied: Call = (site) => {
	const list = argument(site, 2);
	return site.call(argument(site, 0), elementsOf(list) ?? [anyElement(list)]);
};

const constructed: Call = (site) => {
	const list = argument(site, 1);
	return site.call(argument(site, 0), elementsOf(list) ?? [anyElement(list)]);
};

const characters: Call = (site) => joined('', [list(site.args.map((arg) => characterOf(arg)))]);
const characterOf = (arg: Values): Values => {
	const codes = numbersOf(arg);
	return codes.length > 0
		? joinAll(codes.map((code) => text(String.fromCodePoint(Math.max(0, Math.min(code, 0x10ffff))))))
		: text(HOLE);
};

const decoding =
	(encoding: string): Call =>
	(site) =>
		decodedTexts(encoding, argument(site, 0));

/** Bytes keep their text; with an encoding they are decoded. */
const buffer: Call = (site) => {
	const elements = argument(site, 0).some((value) => value.kind === 'list') ? elementsOf(argument(site, 0)) : null;
	if (elements) return joined('', [list(elements.map(characterOf))]);
	const [encoding] = knownTexts(argument(site, 1));
	return encoding === undefined ? argument(site, 0) : decoding(encoding)(site);
};

const integer: Call = (site) => {
	const radix = numbersOf(argument(site, 1))[0] ?? 10;
	const parsed = knownTexts(argument(site, 0)).map((digits) => Number.parseInt(digits, radix));
	return joinAll([...parsed.filter(Number.isFinite).map(number), numbersOf(argument(site, 0)).flatMap(number)]);
};

/** The plain value behind JSON text of one string; objects from text are data. */
const parsedJson: Call = (site) => joinAll(knownTexts(argument(site, 0)).map((json) => jsonText(json)));

function jsonText(json: string): Values {
	try {
		const value: unknown = JSON.parse(json);
		if (typeof value === 'string') return text(value);
		return Array.isArray(value)
			? [list(value.map((item) => (typeof item === 'string' ? text(item) : unknown)))]
			: unknown;
	} catch {
		return unknown;
	}
}

const merged: Call = (site) => {
	const made = object();
	made.bases = joinAll(site.args);
	return join(argument(site, 0), [made]);
};

const described: Call = (site) => {
	const made = object();
	made.fields.set('value', getMember(site));
	made.fields.set('get', getMember(site));
	return [made];
};

const arrayFrom: Call = (site) => {
	const elements = elementsOf(argument(site, 0));
	const source = elements ? list([...elements]) : list([], join(anyElement(argument(site, 0)), text(HOLE)));
	const [, callback] = site.args;
	return callback ? site.call([{ kind: 'method', self: source, name: 'map' }], [callback]) : [source];
};

const spendOnFields = (value: Values[number]): void => spend(value.kind === 'object' ? 8 * value.fields.size : 1);

/** The members of something that is walked as a list. */
const membersOf: Call = (site) =>
	joinAll(
		argument(site, 0).map((value): Values => {
			spendOnFields(value);
			if (value.kind === 'object') return [list([...value.fields.values()], value.rest)];
			if (value.kind === 'list') return [value];
			if (value.kind === 'ref')
				site.machine.note({ kind: 'dynamic', what: 'attribute', of: value.path, span: site.span });
			return unknown;
		}),
	);

const entriesOf: Call = (site) =>
	joinAll(
		argument(site, 0).map((value): Values => {
			if (value.kind !== 'object') return membersOf(site);
			spendOnFields(value);
			return [
				list(
					[...value.fields].map(([key, values]) => [list([text(key), values])]),
					value.rest,
				),
			];
		}),
	);

const joinPath: Call = (site) =>
	joinAll(joinedPaths(site.args.map((arg, i) => (i === 0 ? arg : relative(arg)))).map((one) => text(one)));
const relative = (arg: Values): Values => joinAll(textsOf(arg).map((one) => text(one.replace(/^\/+/, ''))));
const resolvePath: Call = (site) => joinAll(joinedPaths(site.args).map((one) => text(normalisePath(one))));
const overTexts =
	(change: (file: string) => string): Call =>
	(site) =>
		joinAll(textsOf(argument(site, 0)).map((file) => text(change(file))));

/** Timers, listeners and the like call their argument. */
const later: Call = (site) => {
	const callee = argument(site, 0).filter((value) => value.kind !== 'text');
	site.call(callee, site.args.slice(2));
	return unknown;
};

const fileUrl: Call = (site) =>
	joinAll(
		textsOf(argument(site, 0)).map((url) => {
			const file = /^file:\/\/(\/.*)$/.exec(url)?.[1];
			return file === undefined ? ref('globalThis.URL()') : text(normalisePath(decode('percent', file) ?? file));
		}),
	);

const calls: Readonly<Record<string, Call>> = {
	'globalThis.require': load,
	'globalThis.import': load,
	'globalThis.process.getBuiltinModule': load,
	'module._load': load,
	'module.createRequire': () => ref('globalThis.require'),
	'module.createRequireFromPath': () => ref('globalThis.require'),
	'globalThis.Reflect.get': getMember,
	'globalThis.Reflect.apply': applied,
	'globalThis.Reflect.construct': constructed,
	'globalThis.Reflect.ownKeys': () => unknown,
	'globalThis.Reflect.getPrototypeOf': first,
	'globalThis.Reflect.getOwnPropertyDescriptor': described,
	'globalThis.Object': first,
	'globalThis.Object.assign': merged,
	'globalThis.Object.create': first,
	'globalThis.Object.freeze': first,
	'globalThis.Object.seal': first,
	'globalThis.Object.getPrototypeOf': first,
	'globalThis.Object.setPrototypeOf': first,
	'globalThis.Object.keys': (site) => [list(elementsOf(argument(site, 0)) ?? [], text(HOLE))],
	'globalThis.Object.values': membersOf,
	'globalThis.Object.entries': entriesOf,
	'globalThis.Object.fromEntries': () => [object()],
	'globalThis.Object.getOwnPropertyDescriptor': described,
	'globalThis.Proxy': first,
	'globalThis.Array': (site) => [list([...site.args])],
	'globalThis.Array.of': (site) => [list([...site.args])],
	'globalThis.Array.from': arrayFrom,
	'globalThis.String': (site) => joinAll(textsOf(argument(site, 0)).map((one) => text(one))),
	'globalThis.String.fromCharCode': characters,
	'globalThis.String.fromCodePoint': characters,
	'globalThis.String.raw': first,
	'globalThis.Number': integer,
	'globalThis.parseInt': integer,
	'globalThis.parseFloat': integer,
	'globalThis.atob': decoding('base64'),
	'globalThis.unescape': decoding('percent'),
	'globalThis.decodeURIComponent': decoding('percent'),
	'globalThis.decodeURI': decoding('percent'),
	'globalThis.Buffer.from': buffer,
	'globalThis.Uint8Array': buffer,
	'globalThis.Uint8Array.from': buffer,
	'globalThis.Promise.resolve': first,
	'globalThis.structuredClone': first,
	'globalThis.JSON.parse': parsedJson,
	'globalThis.setTimeout': later,
	'globalThis.setInterval': later,
	'globalThis.setImmediate': later,
	'globalThis.queueMicrotask': later,
	'globalThis.process.nextTick': later,
	'globalThis.process.cwd': () => text('/work'),
	'globalThis.URL': fileUrl,
	'url.fileURLToPath': fileUrl,
	'url.pathToFileURL': first,
	'util.promisify': first,
	'path.join': joinPath,
	'path.resolve': resolvePath,
	'path.normalize': overTexts(normalisePath),
	'path.dirname': overTexts(directoryOf),
	'path.basename': overTexts(baseOf),
	'os.homedir': () => text('/work'),
	'os.tmpdir': () => text('/tmp'),
};

/** Methods that every function or promise has, reached through a resolved name. */
function inherited(site: CallSite, path: string): Values | null {
	const [, base = '', method = ''] = /^(.*)\.(\w+)$/.exec(path) ?? [];
	if (method === 'call' || method === 'apply' || method === 'bind') return borrowedFrom(site, base, method);
	if (method === 'then' || method === 'finally') return site.call(argument(site, 0), [ref(base)]);
	return method === 'catch' ? ref(base) : null;
}

/** `Function.prototype.call.call(f, …)` calls f. */
function borrowedFrom(site: CallSite, base: string, method: string): Values | null {
	if (/\.(call|apply|bind)$/.test(base)) {
		const [target, ...rest] = site.args;
		return target ? site.call(target, rest.slice(1)) : unknown;
	}
	return borrowedCall(site, { kind: 'ref', path: base }, method);
}

export function javaScriptCalls(site: CallSite, path: string): Values | null {
	const call = rowOf(calls, path);
	return call ? call(site) : inherited(site, path);
}
