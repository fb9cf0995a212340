/** The page of an approver in a real Chromium, served by a real agent: what it shows, what it lets through, and what it never runs. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { whyMissing } from '../helpers/debian.ts';

const missing = whyMissing('chromium', 'chromium');

function policy(): string {
	const open = parse(openPolicy());
	open.capabilities['shell.run.agent3'] = { like: 'shell.run', requiresApproval: true };
	open.capabilities['shell.run.ogent'] = { like: 'shell.run', requiresApproval: true, isHighRisk: true };
	return stringify(open);
}

let agent: TestAgent;
let token: string;
let browser: Browser;
let page: Page;
const faults: string[] = [];

const keyOf = (roles: string): string => {
	const words = ['native', '--roles', roles, '--kind', 'token', '--principal', `person-${roles}`, '--dir', agent.dir];
	return JSON.parse(secureCode(['agent', 'keys', 'add', ...words, '--json'])).token;
};

async function ask(cmd: string): Promise<{ session: string; stderr: string }> {
	const body = JSON.stringify({ op: 'shell', args: { cmd } });
	const headers = { 'X-Auth-Token': agent.faces.agent3.token };
	return (await (await fetch(agent.faces.agent3.url, { method: 'POST', headers, body })).json()) as never;
}

async function resultOf(session: string): Promise<{ stdout: string; exit_code: number; status?: string }> {
	const body = JSON.stringify({ op: 'read_session', args: { session } });
	const headers = { 'X-Auth-Token': agent.faces.agent3.token };
	return (await (await fetch(agent.faces.agent3.url, { method: 'POST', headers, body })).json()) as never;
}

async function enter(key: string): Promise<void> {
	await page.goto(agent.faces.native.url);
	await page.fill('#key', key);
	await page.click('#enter button');
}

describe.skipIf(missing !== undefined)(`the page of an approver${missing ? ` (skipped: ${missing})` : ''}`, () => {
	beforeAll(async () => {
		agent = await TestAgent.start({ policy: policy() });
		token = keyOf('approver');
		const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
		browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
	});
	afterAll(async () => {
		await browser?.close();
		await agent?.remove();
	});
	beforeEach(async () => {
		const context = await browser.newContext({ ignoreHTTPSErrors: true });
		page = await context.newPage();
		faults.length = 0;
		page.on('pageerror', ({ message }) => faults.push(message));
		page.on('dialog', (dialog) => {
			faults.push(`a dialog: ${dialog.message()}`);
			void dialog.dismiss();
		});
	});

	it('asks for a key, and says so when it is none', async () => {
		await enter('nonsense');
		await expect.poll(() => page.textContent('#entry-fault')).toContain('does not prove who sends it');
		expect(await page.isVisible('#desk')).toBe(false);
	});

	it('shows the exact command with its escapes spelled out, and runs it once it is approved', async () => {
		const { session } = await ask("printf '%s\\n' 'a  b'");
		await enter(token);
		const card = page.locator('article').first();
		await card.waitFor();
		expect(await card.locator('.shown').textContent()).toContain("'%s\\\\n' 'a  b'");
		await card.locator('button.go').click();
		await expect.poll(async () => (await resultOf(session)).stdout, { timeout: 15_000 }).toBe('a  b\n');
		await expect.poll(() => page.locator('#approvals').textContent()).toContain('Nothing waits.');
		expect(faults).toEqual([]);
	});

	it('denies only with a reason, which whoever asked is told', async () => {
		const { session } = await ask('echo never');
		await enter(token);
		const card = page.locator('article').first();
		await card.waitFor();
		expect(await card.locator('button.stop').isDisabled()).toBe(true);
		await card.locator('.reason').fill('not today');
		await card.locator('button.stop').click();
		await expect.poll(async () => JSON.stringify(await resultOf(session)), { timeout: 15_000 }).toContain('not today');
	});

	it('takes the typed words for a dangerous command, and no click before', async () => {
		const { url, token: jwt } = agent.faces.ogent;
		const headers = { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' };
		const submitted = await fetch(`${url}/api/execute`, { method: 'POST', headers, body: '{"command":"echo danger"}' });
		const { executionId } = (await submitted.json()) as { executionId: string };
		await enter(token);
		const card = page.locator('article.danger').first();
		await card.waitFor();
		const approve = card.locator('button.go');
		const before = await approve.isDisabled();
		await card.locator('.typed').fill('APPROVE something else');
		const wrong = await approve.isDisabled();
		await card.locator('.typed').fill(`APPROVE ${await card.getAttribute('id')}`);
		await approve.click();
		expect([before, wrong]).toEqual([true, true]);
		const status = async () =>
			(await (await fetch(`${url}/api/execution/${executionId}`, { headers })).json()) as { output?: string };
		await expect.poll(async () => (await status()).output, { timeout: 15_000 }).toBe('danger\n');
	});

	it('shows markup in a command and in its output as text', async () => {
		const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';
		const { session } = await ask(`echo '${hostile}'`);
		await enter(token);
		await page.locator('article button.go').first().click();
		await expect.poll(async () => (await resultOf(session)).stdout, { timeout: 15_000 }).toBe(`${hostile}\n`);
		await page.locator('#jobs tr button').first().click();
		await expect.poll(() => page.textContent('#log-text')).toBe(`${hostile}\n`);
		expect([await page.locator('#desk img, #desk script').count(), faults]).toEqual([0, []]);
	});

	it('follows a job while it runs, and tells how the audit stands', async () => {
		await ask('for n in 1 2 3; do echo line $n; sleep 0.5; done');
		await enter(token);
		await page.locator('article button.go').first().click();
		await page.locator('#jobs tr button', { hasText: 'for n in' }).first().click();
		await expect.poll(() => page.textContent('#log-text'), { timeout: 15_000 }).toBe('line 1\nline 2\nline 3\n');
		await expect.poll(() => page.textContent('#audit')).toMatch(/^Audit intact, \d+ lines$/);
	});

	it('lets nobody answer whose key may only look', async () => {
		const { session } = await ask('echo looked at');
		await enter(keyOf('viewer'));
		await page.locator('#jobs tr').first().waitFor();
		expect(await page.locator('article button.go').count()).toBe(0);
		expect((await resultOf(session)).exit_code).toBe(126);
	});

	it('forgets the key when it is told to, and keeps none for another tab', async () => {
		await enter(token);
		await page.locator('#desk').waitFor();
		const other = await page.context().newPage();
		await other.goto(agent.faces.native.url);
		expect(await other.isVisible('#enter')).toBe(true);
		await page.click('#leave');
		expect(await page.evaluate('sessionStorage.length + localStorage.length + document.cookie.length')).toBe(0);
	});

	it('may not be framed, and loads nothing from elsewhere', async () => {
		const answer = await page.goto(agent.faces.native.url);
		const headers = answer?.headers() ?? {};
		expect([headers['x-frame-options'], headers['content-security-policy']]).toEqual([
			'DENY',
			expect.stringContaining("default-src 'none'"),
		]);
	});
});
