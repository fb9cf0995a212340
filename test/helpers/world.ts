/** A network of its own without internet: names, public and private addresses, real servers, and a list of what reached them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const addresses = {
	public: '93.184.0.10',
	other: '93.184.0.11',
	private: '10.9.9.9',
	dns: '93.184.0.53',
	six: '2606:4700::99',
} as const;

const names: Record<string, readonly string[]> = {
	[addresses.public]: ['api.example.com', 'www.example.com', 'mail.example.com', 'moving.example.com', 'a.example.org'],
	[addresses.other]: ['other.example.net'],
	[addresses.private]: ['inside.example.com'],
	[addresses.six]: ['six.example.com'],
	'169.254.169.254': ['metadata.example.com'],
	'::ffff:10.9.9.9': ['mapped.example.com'],
};

const hostsText = (table: Record<string, readonly string[]>): string =>
	`127.0.0.1 localhost\n${Object.entries(table)
		.map(([address, list]) => `${address} ${list.join(' ')}\n`)
		.join('')}`;

const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Why no world can be made here; null when one can. */
export function worldFault(): string | null {
	if (process.getuid?.() !== 0) return 'only root can make a network of its own';
	if (!existsSync(certificates)) return 'there is no list of certificates';
	const made = spawnSync('unshare', ['--net', '--mount', 'ip', 'link', 'set', 'lo', 'up']);
	return made.status === 0 ? null : 'unshare or ip does not work';
}

const setUp = `
set -e
ip link set lo up
for address in ${[addresses.public, addresses.other, addresses.private, addresses.dns].join(' ')}; do ip address add $address/32 dev lo; done
ip -6 address add ${addresses.six}/128 dev lo nodad
mount --bind "$0/hosts" /etc/hosts
mount --bind "$0/resolv.conf" /etc/resolv.conf
mount --bind "$0/certificates" ${certificates}
exec "$@"`;

export type Seen = Readonly<Record<string, unknown>> & { readonly server: string };

export class World {
	readonly #folder = mkdtempSync(join(tmpdir(), 'secure-code-world-'));
	readonly seen: Seen[] = [];
	#child: ChildProcess | undefined;

	/** The command that runs another inside, as the user and group of these numbers. */
	within({ uid, gid }: { readonly uid?: number; readonly gid?: number }): string[] {
		const pid = this.#child?.pid;
		const user = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
		return ['nsenter', `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, '--', ...user];
	}

	/** The servers vouch for themselves with an authority of this world, which its list of certificates holds. */
	async open(): Promise<void> {
		this.#write('hosts', hostsText(names));
		this.#write('resolv.conf', `nameserver ${addresses.dns}\noptions timeout:1 attempts:1\n`);
		this.#write('certificates', readFileSync(certificates, 'utf8'));
		const servers = join(import.meta.dirname, 'world-servers.ts');
		const node = [process.execPath, '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', servers, this.#folder];
		const child = spawn('unshare', ['--net', '--mount', 'bash', '-c', setUp, this.#folder, ...node], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		this.#child = child;
		const lines = createInterface({ input: child.stdout });
		lines.on('line', (line) => this.seen.push(JSON.parse(line)));
		await once(lines, 'line');
		const authority = readFileSync(join(this.#folder, 'authority.pem'), 'utf8');
		this.#write('certificates', `${readFileSync(certificates, 'utf8')}\n${authority}`);
	}

	#write(name: string, text: string): void {
		writeFileSync(join(this.#folder, name), text);
	}

	/** From now on the name leads there, too, and first. */
	move(name: string, address: string): void {
		const others = Object.entries(names).map(([at, list]) => [at, list.filter((one) => one !== name)]);
		this.#write('hosts', hostsText({ ...Object.fromEntries(others), [address]: [name, ...(names[address] ?? [])] }));
	}

	/** What reached a server while `act` ran. */
	async during<T>(act: () => Promise<T>): Promise<{ result: T; seen: Seen[] }> {
		const before = this.seen.length;
		const result = await act();
		await new Promise((resolve) => setTimeout(resolve, 50));
		return { result, seen: this.seen.slice(before) };
	}

	async close(): Promise<void> {
		this.#child?.kill('SIGKILL');
		if (this.#child?.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
		rmSync(this.#folder, { recursive: true, force: true });
	}
}
