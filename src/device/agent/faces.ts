/** Every protocol that the agent speaks, by name. */
import type { FaceName } from '../../contract/device-job.ts';
import type { Face } from './face.ts';
import { agent3Face } from './faces/agent3.ts';
import { deviceAgentFace } from './faces/device-agent.ts';
import { nativeFace } from './faces/native.ts';
import { ogentFace } from './faces/ogent.ts';
import { quickCmdFace } from './faces/quickcmd.ts';

export const faces: Readonly<Partial<Record<FaceName, Face>>> = {
	agent3: agent3Face,
	ogent: ogentFace,
	quickcmd: quickCmdFace,
	device: deviceAgentFace,
	native: nativeFace,
};
