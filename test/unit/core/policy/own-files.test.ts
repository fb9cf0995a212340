/** What a job writes is never code or settings of a program that the policy lets run. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';

const [readOnly, developer] = ['read-only', 'developer'].map((name) =>
	loadPolicy(readFileSync(`policies/${name}.yaml`, 'utf8')),
) as [ReturnType<typeof loadPolicy>, ReturnType<typeof loadPolicy>];

function told(policy: typeof readOnly, script: string, cwd?: string, env: Record<string, string> = {}): string {
	const { decision, reasons } = decide(policy, {
		capability: 'shell.run',
		command: { mode: 'script', script, shell: 'bash' },
		cwd,
		env,
		principal: { roles: ['executor'], capabilities: ['*'] },
		deviceId: 'web-1',
	} as never);
	return `${decision} ${reasons[0]?.rule}`;
}

const imports = 'program/python-imports';
const settings = 'path/settings';

describe('modules of Python', () => {
	it.each([
		['echo x > random.py; python3 -c "import random"', `deny ${imports}`],
		['while :; do python3 -c "import json"; echo x > json.py; done', `deny ${imports}`],
		['echo x | tee math.py; python3 -c "from math import pi; print(pi)"', `deny ${imports}`],
		['cd /tmp; python3 -c "import json"', `deny ${imports}`],
		['echo x > sys.py; python3 -c "import sys, time; print(sys.version)"', 'allow program/echo'],
		['python3 -c "import json; print(json.dumps([1]))" 2> /dev/null', 'allow program/python3'],
		['cd /usr; python3 -c "import json"', 'allow program/cd'],
		['echo x > json.py; python3 -I -c "import json"', 'allow program/echo'],
		['echo x > json.py; python3 -Ic "import json"', 'allow program/echo'],
		['echo x > json.py; python3 -c "import json" -I', `deny ${imports}`],
		['echo x > json.py; python3 -E -c "print(1)"', 'deny program/python3'],
	])('%s: %s', (script, expected) => {
		expect(told(readOnly, script)).toBe(expected);
	});

	it('are loaded from a project only with -I, because other jobs write there', () => {
		const code = 'python3 -c "import json"';
		expect(told(developer, code, '/srv/projects/a')).toBe(`ask ${imports}`);
		expect(told(developer, code)).toBe('allow program/python3');
	});
});

describe('a name that begins with a dot', () => {
	it.each([
		'echo x > .gitconfig',
		'echo x >> ~/.jq',
		'echo x | tee .local/lib/python3/site-packages/x.pth',
		'echo x > /tmp/.dpkg.cfg',
		'echo x > /dev/shm/.x',
		'echo x > sub/.config/containers/containers.conf',
		'for f in a .manpath; do echo x > "$f"; done',
	])('is not written where jobs are at home: %s', (script) => {
		expect(told(readOnly, script)).toBe(`deny ${settings}`);
		expect(told(developer, script)).toBe(`ask ${settings}`);
	});

	it.each([
		['echo x > /srv/projects/a/.git/config', `ask ${settings}`],
		['mkdir -p /srv/projects/a/.git/hooks', `ask ${settings}`],
		['mv x /srv/projects/a/.git', `ask ${settings}`],
		['touch /srv/projects/a/.gitignore', 'allow program/touch'],
		['cat /srv/projects/a/.git/HEAD', 'allow program/cat'],
		['mkdir x.git && touch ./x.git/a ../work.b', 'deny path/write'],
		['mkdir x.git && touch ./x.git/a', 'allow program/mkdir'],
	])('is written in a project, but for the settings of git: %s: %s', (script, expected) => {
		expect(told(developer, script)).toBe(expected);
	});
});

describe('the folder that git is told to go to', () => {
	it('is where its later words are looked for', () => {
		expect(told(readOnly, 'git -C / diff etc/shadow etc/passwd')).toBe('deny path/read');
		expect(told(readOnly, 'git -C / diff etc/passwd etc/group')).toBe('allow program/git');
		expect(told(readOnly, 'git -C / status; cat root/x')).toBe('allow program/git');
		expect(told(readOnly, 'git -C / show; git diff etc/shadow x')).toBe('allow program/git');
	});
});

describe('a language or a time zone', () => {
	it.each([
		'LC_ALL=/work/x ls',
		'LANG=/work/x; ls',
		'export LC_TIME=../x; date',
		'env TZ=:/etc/shadow date',
		'for LANG in de_DE.UTF-8 /work/x; do ls; done',
		'LANG=$(cat x) ls',
		'LC_ALL=.. ls',
	])('is only its plain name: %s', (script) => {
		expect(told(developer, script)).toBe('deny environment/value');
	});

	it('may be set to its plain name', () => {
		expect(told(readOnly, 'LC_ALL=de_DE.UTF-8@euro TZ=America/Argentina/Buenos_Aires date; TZ= date')).toBe(
			'allow program/date',
		);
		expect(told(readOnly, 'date', undefined, { LANG: 'C.UTF-8', TZ: 'Europe/Berlin' })).toBe('allow program/date');
		expect(told(readOnly, 'date', undefined, { TZ: '/etc/shadow' })).toBe('deny environment/value');
	});

	it('is not LANGUAGE, which may name folders', () => {
		expect(told(readOnly, 'LANGUAGE=de ls')).toBe('deny environment/forbidden');
	});
});
