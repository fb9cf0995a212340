/** Every protocol that the agent speaks, by name. */
import type { FaceName } from '../../contract/device-job.ts';
import type { Face } from './face.ts';

export const faces: Readonly<Partial<Record<FaceName, Face>>> = {};
