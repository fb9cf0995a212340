import { expect, it } from 'vitest';
import { socketPath } from '../../../../src/device/agent/socket-path.ts';

it('takes the shorter of the two ways', () => {
	expect([
		socketPath('/var/lib/agent/run/agent.sock', '/'),
		socketPath('/home/ann/agent/run/agent.sock', '/home/ann/agent'),
		socketPath('/a/run/agent.sock', '/very/far/away/from/there'),
	]).toEqual(['var/lib/agent/run/agent.sock', 'run/agent.sock', '/a/run/agent.sock']);
});

it('refuses one that the kernel would cut', () => {
	expect(() => socketPath(`/${'a'.repeat(200)}/agent.sock`, '/b')).toThrow('too long for a socket');
	expect(socketPath(`/${'a'.repeat(200)}/agent.sock`, `/${'a'.repeat(200)}`)).toBe('agent.sock');
});
