/**
 * Puts a packed node package into an n8n user folder, as n8n's own settings page does; needs nothing but tar.
 * Usage: node install-package.mjs TARBALL [USER_FOLDER]. Prints the folder of the installed package.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

// n8n empties the settings page's list of packages when its file is missing, so the file is made the way n8n makes it.
const emptyManifest = { name: 'installed-nodes', private: true, dependencies: {} };

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** npm would remove every package that its own list does not name, so it is not used here. */
function unpack(tarball, nodesFolder) {
	const folder = mkdtempSync(join(nodesFolder, '.unpack-'));
	execFileSync('tar', ['-xzf', tarball, '-C', folder]);
	return { folder, content: join(folder, 'package') };
}

function replace(content, target) {
	mkdirSync(dirname(target), { recursive: true });
	const old = existsSync(target) ? join(dirname(content), 'old') : undefined;
	if (old !== undefined) renameSync(target, old);
	renameSync(content, target);
}

/** Without an entry in this list, the next "npm install" in the folder would remove the package again. */
function record(nodesFolder, name, version) {
	const file = join(nodesFolder, 'package.json');
	const manifest = existsSync(file) ? readJson(file) : emptyManifest;
	manifest.dependencies = { ...manifest.dependencies, [name]: version };
	writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What root puts into somebody's folder belongs to that person. */
function giveToOwner(userFolder, path) {
	const { uid, gid } = statSync(userFolder);
	if (process.getuid() === 0 && uid !== 0) execFileSync('chown', ['-R', `${uid}:${gid}`, path]);
}

function install(tarball, userFolder) {
	const nodesFolder = join(userFolder, '.n8n', 'nodes');
	const made = mkdirSync(nodesFolder, { recursive: true });
	const { folder, content } = unpack(tarball, nodesFolder);
	try {
		const { name, version } = readJson(join(content, 'package.json'));
		const target = join(nodesFolder, 'node_modules', name);
		const before = existsSync(join(target, 'package.json'))
			? readJson(join(target, 'package.json')).version
			: undefined;
		replace(content, target);
		record(nodesFolder, name, version);
		giveToOwner(userFolder, made ?? nodesFolder);
		return { name, version, target, before };
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

const [tarball, userFolder = process.env.N8N_USER_FOLDER || homedir()] = process.argv.slice(2);
const { name, version, target, before } = install(resolve(tarball), resolve(userFolder));
process.stderr.write(`Installed ${name} ${version}${before === undefined ? '' : `, which replaces ${before}`}.\n`);
process.stdout.write(`${target}\n`);
