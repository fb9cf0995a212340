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
	const { createRequire, stripTypeScriptTypes } = Module;

	/** What nearly every program does first, done ahead. */
	const warmUp = () => {
		void process.stdout;
		void process.stderr;
		if (kind === 'typescript') stripTypeScriptTypes('enum A { B }', { mode: 'transform' });
		const load = createRequire('/code/main.js');
		// Nobody listens yet; what a module says now would make the box unfit.
		const silent = () => true;
		for (const stream of [process.stdout, process.stderr]) stream.write = silent;
		for (const name of (process.env.SECURE_CODE_PRELOAD ?? '').split(',').filter(Boolean)) {
			try {
				load(name);
			} catch {
				// The program sees for itself what is missing.
			}
		}
		for (const stream of [process.stdout, process.stderr]) delete stream.write;
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
