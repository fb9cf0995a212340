/** n8n's editor in a real Chromium, signed in as the owner. */
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import type { Session } from '../../../scripts/n8n/n8n-client.ts';

export interface Editor {
	readonly page: Page;
	/** The panel of the open node. */
	readonly panel: Locator;
	nodeCalled(name: string): Locator;
	/** Exceptions that no code in the page caught. */
	readonly faults: readonly string[];
	/** Opens a workflow, and the panel of one of its nodes. */
	openNode(workflowId: string, nodeName: string): Promise<void>;
	openWorkflow(workflowId: string): Promise<void>;
	close(): Promise<void>;
}

export const byTestId = (id: string): string => `[data-test-id="${id}"]`;
const nodeKinds = ['default', 'configurable', 'configuration', 'trigger'];

async function signIn(browser: Browser, { baseUrl, browserId, cookie }: Session): Promise<Page> {
	const context = await browser.newContext({ viewport: { width: 1500, height: 950 } });
	const [name = '', value = ''] = cookie.split(/=(.*)/s);
	await context.addCookies([{ name, value, url: baseUrl, httpOnly: true, sameSite: 'Lax' }]);
	// The session is bound to this id.
	await context.addInitScript(`localStorage.setItem('n8n-browserId', '${browserId}')`);
	return await context.newPage();
}

export async function openEditor(session: Session): Promise<Editor> {
	const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
	const page = await signIn(browser, session);
	const faults: string[] = [];
	page.on('pageerror', (error) => faults.push(error.message));
	const openWorkflow = async (workflowId: string) => {
		await page.goto(`${session.baseUrl}/workflow/${workflowId}`, { waitUntil: 'domcontentloaded' });
		await page.locator(byTestId('canvas-node')).first().waitFor();
	};
	const nodeCalled = (name: string) => page.locator(`${byTestId('canvas-node')}[data-node-name="${name}"]`);
	const panel = page.locator(byTestId('ndv')).first();
	const openNode = async (workflowId: string, nodeName: string) => {
		await openWorkflow(workflowId);
		const bodies = nodeKinds.map((kind) => byTestId(`canvas-${kind}-node`)).join(', ');
		await nodeCalled(nodeName).locator(bodies).first().dblclick();
		await panel.locator('label').first().waitFor();
	};
	return { page, panel, faults, nodeCalled, openNode, openWorkflow, close: () => browser.close() };
}
