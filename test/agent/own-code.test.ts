/** What a job writes is not taken for code or settings by the programs of the device: with the policy that init writes, and in a jail where everything may run. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openPolicy, TestAgent } from '../helpers/agent.ts';

let agent: TestAgent;
let open: TestAgent;
beforeAll(async () => {
	const init = ['--faces', 'agent3'];
	agent = await TestAgent.start({ init });
	open = await TestAgent.start({ init, policy: openPolicy() });
});
afterAll(() => Promise.all([agent, open].map((one) => one?.remove())));

async function run({ faces }: TestAgent, cmd: string): Promise<{ code: number; out: string }> {
	const answer = await fetch(faces.agent3.url, {
		method: 'POST',
		headers: { 'x-auth-token': faces.agent3.token },
		body: JSON.stringify({ op: 'shell', args: { cmd } }),
	});
	const { stdout = '', stderr = '', reason = '' } = (await answer.json()) as Record<string, string>;
	return { code: answer.status, out: stdout + stderr + reason };
}

const loud = `'print("TAKEN")'`;

describe('the policy that init writes', () => {
	it.each([
		`echo ${loud} > random.py; python3 -c 'import random'`,
		`echo ${loud} > random.py; env -i python3 -c 'import random'`,
		`echo ${loud} > random.py; python3 -E -c 'import random'`,
		'env -u GIT_CONFIG_GLOBAL git status',
		`printf '[diff]\\nexternal = echo TAKEN\\n' > .gitconfig; git -C /usr status`,
		`echo 'def keys: "TAKEN";' > .jq; jq -n keys`,
		`echo 'admindir=/work/TAKEN' > .dpkg.cfg; dpkg -l`,
		'git --help log',
		'git -C / diff etc/shadow etc/hostname',
		'strings @/etc/hostname',
		'md5sum /etc/hostname > list; md5sum -c list',
		'sysctl kernel/../../../etc/hostname',
		'ps -eo environ',
		'ps -auxe',
		'LC_ALL=/work/x ls',
	])('refuses %s', async (cmd) => {
		expect(await run(agent, cmd)).toMatchObject({ code: 403, out: expect.not.stringContaining('TAKEN') });
	});

	it.each([
		[`python3 -c 'import json, random; print(json.dumps([1]))'`, '[1]\n'],
		[`echo ${loud} > random.py; python3 -I -c 'import random; print(2)'`, '2\n'],
		[`echo x > a.txt; jq -n '[1] | keys' -c`, '[0]\n'],
		['git -C /etc diff --shortstat hostname hostname; env LANG=C.UTF-8 printenv LANG', 'C.UTF-8\n'],
	])('still runs %s', async (cmd, out) => {
		expect(await run(agent, cmd)).toEqual({ code: 200, out });
	});
});

describe('a jail in which everything may run', () => {
	it('shows git no settings of the home folder, and starts no hooks, monitors or signature programs of a repository', async () => {
		const script = `
			git init -q . && echo a > a && git add a && git -c user.name=x -c user.email=x@y commit -qm a && echo b > a
			printf '[diff]\\n external = echo TAKEN\\n[alias]\\n x = !echo TAKEN\\n' > ~/.gitconfig
			printf '#!/bin/sh\\necho TAKEN >&2\\n' > loud; chmod +x loud
			git config core.fsmonitor /work/loud; git config gpg.program /work/loud; git config log.showSignature true
			git config core.hooksPath /work; cp loud post-index-change
			git diff --stat; git status -s; git log --format=%G?; git x 2>/dev/null; echo done`;
		const { code, out } = await run(open, script);
		expect({ code, isTaken: out.includes('TAKEN'), end: out.trimEnd().split('\n').at(-1) }).toEqual({
			code: 200,
			isTaken: false,
			end: 'done',
		});
	});

	it('takes no folder for a repository because it looks like the inside of one', async () => {
		const script = `mkdir objects refs; echo 'ref: refs/heads/x' > HEAD; printf '[core]\\nfsmonitor = echo TAKEN\\nbare = true\\n' > config; git status 2>&1`;
		expect((await run(open, script)).out).toContain('safe.bareRepository');
	});

	it('loads no packages of the user into Python', async () => {
		const script = `
			site=$(python3 -c 'import site; print(site.getusersitepackages())'); mkdir -p "$site"
			echo 'import sys; sys.stdout.write("TAKEN")' > "$site/x.pth"; python3 -c 'print(1)'`;
		expect(await run(open, script)).toEqual({ code: 200, out: '1\n' });
	});
});

describe('the policy for developers', () => {
	/** Of somebody else where we may give it away. */
	function project(): string {
		const folder = mkdtempSync(join(tmpdir(), 'project-'));
		onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
		const git = (...args: string[]) =>
			execFileSync('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x', ...args]);
		git('init', '-q');
		git('commit', '-q', '--allow-empty', '-m', 'first');
		for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
			const path = join(folder, name);
			chmodSync(path, 0o777);
			if (process.getuid?.() === 0) chownSync(path, 4321, 4321);
		}
		return folder;
	}

	it('lets git look into a project of somebody else, and asks before anything is written into its settings', async () => {
		const folder = project();
		const policy = readFileSync('policies/developer.yaml', 'utf8').replaceAll('/srv/projects', folder);
		const developer = await TestAgent.start({ init: ['--faces', 'agent3'], policy });
		onTestFinished(() => developer.remove());
		expect(await run(developer, `git -C ${folder} log --format=%s; git -C ${folder} status -s`)).toEqual({
			code: 200,
			out: 'first\n',
		});
		expect((await run(developer, `echo x >> ${folder}/.git/config`)).out).toMatch(/^approval required/);
		expect(await run(developer, `touch ${folder}/notes; ls -A ${folder}`)).toEqual({
			code: 200,
			out: '.git\nnotes\n',
		});
	});
});
