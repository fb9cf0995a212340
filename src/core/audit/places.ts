/** Where the audit lies below the folder of an agent. Pure. */
import { join } from 'node:path';

export const stateFolder = (dir: string): string => join(dir, 'state');
export const databaseFile = (dir: string): string => join(stateFolder(dir), 'agent.db');
export const deviceKeyFile = (dir: string): string => join(dir, 'keys', 'device.key');
export const devicePublicKeyFile = (dir: string): string => join(dir, 'keys', 'device.pub');
