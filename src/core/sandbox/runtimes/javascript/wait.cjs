/*
 * Required by Node.js before its program: says that it has started, and waits for the environment of its job. Threads of the
 * program require it again, and have nothing to wait for. Nothing of this may be left for the program or them to see.
 * init/init.c describes descriptors 3 and 4.
 */
'use strict';
const Module = require('node:module');
const kind = process.env.SECURE_CODE_WAIT;
if (kind !== undefined) {
	const fs = require('node:fs');
	const { Socket } = require('node:net');
	const { createRequire, stripTypeScriptTypes } = Module;

	const warmUp = () => {
		if (process._tickCallback) printNowhere();
		if (kind === 'typescript') stripTypeScriptTypes('enum A { B }', { mode: 'transform' });
		const names = (process.env.SECURE_CODE_PRELOAD ?? '').split(',').filter(Boolean);
		if (names.length > 0) inSilence(() => preload(names));
	};

	/**
	 * What nearly every program does first, done once on a pipe that there is not. The streams of the program are left alone: with
	 * the first look at them its own pipes do not block any more. Nothing of this is left for the program to do.
	 */
	const printNowhere = () => {
		require('node:tty');
		const handle = { writeUtf8String: () => 0, writeLatin1String: () => 0 };
		try {
			new console.Console(new Socket({ handle, readable: false, writable: true })).log('w');
			process._tickCallback();
		} catch {
			// A Node.js that takes no such pipe is slower at its first line.
		}
	};

	const preload = (names) => {
		const load = createRequire('/code/main.js');
		for (const name of names) {
			try {
				load(name);
			} catch {
				// The program sees for itself what is missing.
			}
		}
	};

	/** Nobody listens yet; what a module says now would make the box unfit. */
	const inSilence = (act) => {
		const loud = [silenceStream('stdout'), silenceStream('stderr'), silenceWarnings()];
		act();
		for (const again of loud) again();
	};

	/** A module that needs a stream gets the real one, and may keep it: only what it writes now is dropped. */
	const silenceStream = (name) => {
		const own = Object.getOwnPropertyDescriptor(process, name);
		let stream;
		const get = () => {
			stream ??= muted(own.get.call(process));
			return stream;
		};
		Object.defineProperty(process, name, { ...own, get });
		return () => {
			Object.defineProperty(process, name, own);
			if (stream) for (const method of writers) delete stream[method];
		};
	};

	const writers = ['_write', '_writev'];
	const muted = (stream) =>
		Object.assign(stream, {
			_write: (_chunk, _encoding, done) => done(),
			_writev: (_chunks, done) => done(),
		});

	const silenceWarnings = () => {
		const own = Object.getOwnPropertyDescriptor(process, 'emitWarning');
		process.emitWarning = () => {};
		return () => Object.defineProperty(process, 'emitWarning', own);
	};

	const readToEnd = () => {
		const chunks = [];
		const chunk = Buffer.alloc(65_536);
		for (;;) {
			const length = fs.readSync(3, chunk);
			if (length === 0) return Buffer.concat(chunks).toString();
			chunks.push(Buffer.from(chunk.subarray(0, length)));
		}
	};

	warmUp();
	fs.writeSync(4, 'w');
	fs.closeSync(4);
	const variables = new Map(
		readToEnd()
			.split('\0')
			.slice(0, -1)
			.map((variable) => [variable.slice(0, variable.indexOf('=')), variable.slice(variable.indexOf('=') + 1)]),
	);
	fs.closeSync(3);
	for (const name of Object.keys(process.env)) if (!variables.has(name)) delete process.env[name];
	// Setting TZ, even to what it is, makes V8 look for time zones anew, which takes longer than all the rest.
	for (const [name, value] of variables) if (process.env[name] !== value) process.env[name] = value;
}

const own = process.execArgv.indexOf(__filename);
if (own > 0) process.execArgv.splice(own - 1, 2);
/** The list itself is still being worked through. */
const preloaded = Object.getOwnPropertyDescriptor(process, '_preload_modules');
if (preloaded?.value?.includes(__filename)) {
	const others = preloaded.value.filter((name) => name !== __filename);
	Object.defineProperty(process, '_preload_modules', { ...preloaded, value: others });
}
for (const key of Object.keys(Module._pathCache)) if (key.startsWith(__filename)) delete Module._pathCache[key];
delete require.cache[__filename];
