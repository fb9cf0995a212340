/** The reading half of docker: lists, logs and facts. Where docker's socket is, is the machine's or the profile's to say. Pure. */
import type { ProgramInput, UsageInput } from '../../schema.ts';

const format = '--format=text --no-trunc -q --quiet';
const container = '/[A-Za-z0-9][A-Za-z0-9_.-]*/';
const list: UsageInput = {
	flags: `-a -f=text -n=integer -l -s --all --filter=text --last=integer --latest --size ${format}`,
};
const logs: UsageInput = {
	flags: '-f -n=text -t --follow --tail=text --since=text --until=text --timestamps --details',
	positionals: container,
};
const images: UsageInput = {
	flags: `-a -f=text --all --filter=text --digests ${format}`,
	positionals: '/[A-Za-z0-9][A-Za-z0-9_.\\/:@-]*/?',
};
const inspect: UsageInput = {
	flags: '-f=text -s --format=text --size --type=name',
	positionals: '/[A-Za-z0-9][A-Za-z0-9_.\\/:@-]*/+',
};
const top: UsageInput = { positionals: `${container} /[a-zA-Z-]+/*` };
const stats: UsageInput = { flags: '-a --all --format=text --no-stream --no-trunc', positionals: `${container}*` };

const program = (name: string): ProgramInput => ({
	name,
	isExecCapable: true,
	flags: '-v --version',
	subcommands: {
		ps: list,
		images,
		logs,
		inspect,
		top,
		stats,
		port: { positionals: `${container} name?` },
		diff: { positionals: container },
		history: { flags: `-H --human ${format}`, positionals: '/[A-Za-z0-9][A-Za-z0-9_.\\/:@-]*/' },
		version: { flags: '-f=text --format=text' },
		info: { flags: '-f=text --format=text' },
		container: {
			subcommands: {
				ls: list,
				list,
				ps: list,
				logs,
				inspect,
				top,
				stats,
				port: { positionals: `${container} name?` },
				diff: { positionals: container },
			},
		},
		image: {
			subcommands: {
				ls: images,
				list: images,
				inspect,
				history: { flags: format, positionals: '/[A-Za-z0-9][A-Za-z0-9_.\\/:@-]*/' },
			},
		},
		network: { subcommands: { ls: { flags: `-f=text --filter=text ${format}` }, inspect } },
		volume: { subcommands: { ls: { flags: `-f=text --filter=text ${format}` }, inspect } },
		system: { subcommands: { df: { flags: '-v --verbose --format=text' }, info: { flags: '-f=text --format=text' } } },
	},
	allows: [`${name} ps -a`, `${name} logs --tail 50 web`, `${name} images`, `${name} inspect -f {{.State.Status}} web`],
	denies: [
		`${name} run --privileged alpine`,
		`${name} exec web sh`,
		`${name} -H unix:///x ps`,
		`${name} --context x ps`,
		`${name} rm web`,
		`${name} cp web:/etc/shadow .`,
		`${name} stop web`,
		`${name} system prune`,
	],
});

export const dockerPrograms: readonly ProgramInput[] = ['docker', 'podman'].map(program);
