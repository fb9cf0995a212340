/** What a job writes is not taken for code or settings by the programs of the device: with the policy that init writes, and in a jail where everything may run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
