/** What a member of a value is, and the disguises in which a member can come. */
import type { Span } from '../languages/ir.ts';
import { home, pathMember } from './fold-paths.ts';
import type { Machine } from './machine.ts';
import { carriedModules, globalObjects, javaScriptSynonyms, pythonAliases, pythonSynonyms } from './names.ts';
import {
	anyElement,
	elementAt,
	HOLE,
	join,
	joinAll,
	number,
	type ObjectValue,
	ref,
	rowOf,
	text,
	unknown,
	type Value,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

const mostFields = 64;

export interface Access {
	readonly item: boolean;
	readonly span: Span;
}

/** The values of `object.key` or `object[key]`. */
export function member(machine: Machine, object: Values, key: Values, access: Access): Values {
	spend(1 + object.length * key.length);
	if (object.length === 0) return unknownMember(machine, key);
	return joinAll(object.map((value) => memberOfOne(machine, value, key, access)));
}

/** Whatever an object is, the constructor of its constructor makes functions from text. */
function unknownMember(machine: Machine, key: Values): Values {
	const isConstructor = key.some((value) => value.kind === 'text' && value.text === 'constructor');
	return machine.language === 'javascript' && isConstructor ? ref('globalThis.Object') : unknown;
}

const isKnown = (key: Value): boolean => key.kind === 'number' || (key.kind === 'text' && !key.text.includes(HOLE));

function memberOfOne(machine: Machine, value: Value, key: Values, access: Access): Values {
	const known = key.map((one): Values => {
		if (one.kind === 'number') return indexed(machine, value, one.number, access);
		return one.kind === 'text' && isKnown(one) ? named(machine, value, one.text, access) : unknown;
	});
	const isOpen = key.length === 0 || !key.every(isKnown);
	return joinAll(isOpen ? [...known, dynamicMember(machine, value, access)] : known);
}

function dynamicMember(machine: Machine, value: Value, access: Access): Values {
	if (value.kind === 'ref') machine.note({ kind: 'dynamic', what: 'attribute', of: value.path, span: access.span });
	if (value.kind === 'list') return anyElement([value]);
	return value.kind === 'object' ? joinAll([...[...value.fields.values()].slice(0, mostFields), value.rest]) : unknown;
}

function indexed(machine: Machine, value: Value, index: number, access: Access): Values {
	if (value.kind === 'list') return elementAt(value, index);
	if (value.kind === 'text') {
		spend(value.text.length);
		const character = value.text.includes(HOLE) ? undefined : [...value.text].at(index);
		return character === undefined ? unknown : text(character);
	}
	return value.kind === 'object' || value.kind === 'ref' ? named(machine, value, String(index), access) : unknown;
}

function named(machine: Machine, value: Value, key: string, access: Access): Values {
	if (value.kind === 'ref') return refMember(machine, value.path, key, access.item);
	if (value.kind === 'object') return fieldOf(machine, value, key, access);
	if (machine.language === 'python' && access.item) return unknown;
	if (value.kind === 'path') return pathMember(value, key);
	if (key === 'length' && (value.kind === 'text' || value.kind === 'list')) return lengthOf(value);
	if (value.kind === 'list' && /^\d+$/.test(key)) return value.items[Number(key)] ?? value.rest;
	if (key === 'constructor' && machine.language === 'javascript') return constructorOf(value);
	if (key === '__call__' || key === '__proto__' || key === 'prototype') return [value];
	return [{ kind: 'method', self: value, name: key }];
}

const lengthOf = (value: Extract<Value, { kind: 'text' | 'list' }>): Values =>
	value.kind === 'list' ? number(value.items.length) : value.text.includes(HOLE) ? unknown : number(value.text.length);

function constructorOf(value: Value): Values {
	const makesFunctions = value.kind === 'function' || value.kind === 'method' || value.kind === 'partial';
	return ref(makesFunctions ? 'globalThis.Function' : 'globalThis.Object');
}

function fieldOf(machine: Machine, value: ObjectValue, key: string, access: Access): Values {
	const own = value.fields.get(key);
	if (own) return join(own, value.rest);
	const inherited =
		value.bases.length > 0
			? member(
					machine,
					value.bases.filter((base) => base !== value),
					text(key),
					access,
				)
			: unknown;
	const found = join(inherited, value.rest);
	if (found.length > 0) return found;
	if (machine.language === 'javascript' && key === 'constructor')
		return value.isClass ? [value] : ref('globalThis.Object');
	if (key === '__dict__' || key === '__class__' || key === 'prototype' || key === '__proto__') return [value];
	return access.item ? unknown : [{ kind: 'method', self: value, name: key }];
}

/** The canonical name of a module. */
export function moduleRef(machine: Machine, name: string): Values {
	if (machine.language === 'python') return ref(rowOf(pythonAliases, name) ?? name);
	const plain = name.replace(/^node:/, '');
	return ref(
		plain === 'process' || plain === 'console' ? `globalThis.${plain}` : (rowOf(javaScriptSynonyms, plain) ?? plain),
	);
}

function refMember(machine: Machine, path: string, key: string, item: boolean): Values {
	return machine.language === 'python' ? pythonMember(machine, path, key, item) : javaScriptMember(path, key);
}

function pythonMember(machine: Machine, path: string, key: string, item: boolean): Values {
	if (item) return pythonItem(machine, path, key);
	if (key === '__call__') return ref(path);
	if (key === '__builtins__') return ref('builtins');
	if (key === '__self__' && /^builtins\.\w+$/.test(path)) return ref('builtins');
	if (path === 'builtins.__dict__' || path.endsWith('.__dict__') || path === 'sys.modules')
		return ref(`${path}.${key}`);
	const carried = key.replace(/^_+(?!_)/, '');
	if (carriedModules.has(carried) && !path.includes('()') && path !== carried) return ref(carried);
	const full = `${path}.${key}`;
	return ref(rowOf(pythonSynonyms, full) ?? full);
}

/** Items matter only where they are names: of modules, of the members of a module, of globals. */
function pythonItem(machine: Machine, path: string, key: string): Values {
	if (path === 'sys.modules') return moduleRef(machine, key);
	if (path === 'os.environ' && key === 'HOME') return text(home);
	if (path === 'builtins') return ref(`builtins.${key}`);
	if (path === 'builtins.globals()') return globalNamed(machine, key);
	return path.endsWith('.__dict__') ? pythonMember(machine, path.slice(0, -'.__dict__'.length), key, false) : unknown;
}

export function globalNamed(machine: Machine, key: string): Values {
	if (key === '__builtins__') return ref('builtins');
	const bound = machine.scope.root.bindings.get(key)?.all;
	return bound ?? ref(`builtins.${key}`);
}

function javaScriptMember(path: string, key: string): Values {
	if (path === 'globalThis' && globalObjects.has(key)) return ref('globalThis');
	if (key === '__proto__') return ref(path);
	if (key === 'default' && !path.startsWith('globalThis')) return ref(path);
	const full = `${path}.${key}`;
	const synonym = rowOf(javaScriptSynonyms, full);
	if (synonym) return ref(synonym);
	if (key === 'constructor') return ref(path.endsWith('()') ? 'globalThis.Object' : 'globalThis.Function');
	return ref(full);
}
