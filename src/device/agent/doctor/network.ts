/** The doctor on the listeners: faces that fit together, certificates that hold, nothing in clear beyond this machine. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { AgentConfig } from '../../../contract/agent-config.ts';
import type { Face } from '../face.ts';
import { inside } from '../layout.ts';
import { networksOf } from '../peers.ts';
import { refuseCollisions } from '../routes.ts';
import { failed, failure, ok, reduced, type Step } from './step.ts';

type Listener = AgentConfig['listeners'][number];

const dayMs = 86_400_000;
/** A certificate that ends this soon should be renewed. */
const soonMs = 30 * dayMs;
const isLoopback = networksOf(['127.0.0.0/8', '::1/128']);

const placeOf = ({ host, port, faces }: Listener): string => `${faces.join(', ')} on ${host}:${port}`;

function certificateSteps(dir: string, listener: Listener, now: number): Step[] {
	if (!listener.tls) return [];
	const read = (file: string) => readFileSync(isAbsolute(file) ? file : inside(dir, file));
	const name = `certificate of ${placeOf(listener)}`;
	const renew = `secure-code agent keys rotate tls --dir ${dir}`;
	try {
		const cert = new X509Certificate(read(listener.tls.certFile));
		if (!cert.checkPrivateKey(createPrivateKey(read(listener.tls.keyFile))))
			return [failed(name, 'certificate and private key do not belong together', renew)];
		const leftMs = cert.validToDate.getTime() - now;
		const until = `good until ${cert.validToDate.toISOString().slice(0, 10)}`;
		if (leftMs <= 0 || cert.validFromDate.getTime() > now) return [failed(name, 'it is not good now', renew)];
		return [leftMs < soonMs ? reduced(name, until, renew) : ok(name, until)];
	} catch (error) {
		return [failure(name, error)];
	}
}

function listenerSteps(dir: string, faces: readonly Face[], listener: Listener, now: number): Step[] {
	const name = `listener of ${placeOf(listener)}`;
	try {
		refuseCollisions(faces, `${listener.host}:${listener.port}`);
	} catch (error) {
		return [failure(name, error)];
	}
	const isOpen = !listener.tls && listener.host !== 'localhost' && !isLoopback(listener.host);
	const reach = isOpen
		? [reduced(name, 'keys and output cross the network in clear', 'Give the listener "tls", or let a VPN carry it.')]
		: [ok(name, listener.tls ? 'TLS' : 'loopback only')];
	return [...reach, ...certificateSteps(dir, listener, now)];
}

export function networkSteps(
	dir: string,
	{ listeners, metrics, deviceAgent }: AgentConfig,
	faceOf: (name: Face['name']) => Face | undefined,
	now: number,
): Step[] {
	networksOf([...metrics.from, ...deviceAgent.unsignedFrom]);
	return listeners.flatMap((listener) =>
		listenerSteps(
			dir,
			listener.faces.flatMap((name) => faceOf(name) ?? []),
			listener,
			now,
		),
	);
}
