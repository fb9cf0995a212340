// Collects name, version and licence text of every package that ended up in a bundle.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const packageFolder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const licenceName = /^(licen[cs]e|notice|copying)/i;

/** Folders of the packages that gave at least one byte. */
function bundledFolders(metafiles) {
	const inputs = metafiles.flatMap((metafile) =>
		Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs)),
	);
	const folders = inputs
		.filter(([, { bytesInOutput }]) => bytesInOutput > 0)
		.map(([path]) => packageFolder.exec(path)?.[0])
		.filter((folder) => folder !== undefined);
	return [...new Set(folders)].sort();
}

async function licenceOf(folder) {
	const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
	const { name, version } = manifest;
	// Older manifests list { type, url } objects.
	const license = manifest.license ?? manifest.licenses?.map(({ type }) => type).join(' or ');
	if (typeof license !== 'string') throw new Error(`${name} names no licence`);
	const files = (await readdir(folder)).filter((file) => licenceName.test(file)).sort();
	const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
	return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n');
}

/** The whole text of dist/THIRD-PARTY-LICENSES. */
export async function licencesOf(metafiles) {
	const sections = await Promise.all(bundledFolders(metafiles).map(licenceOf));
	return `${sections.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
