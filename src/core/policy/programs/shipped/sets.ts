/** Sets of programs that come with the agent, by the name that a policy gives. Pure. */
import type { ProgramInput } from '../../schema.ts';
import { dockerPrograms } from './docker.ts';
import { filePrograms } from './files.ts';
import { gitPrograms } from './git.ts';
import { networkPrograms } from './network.ts';
import { shellPrograms } from './shell.ts';
import { systemPrograms } from './system.ts';
import { textPrograms } from './text.ts';
import { writingPrograms } from './writing.ts';

export const shippedPrograms: Readonly<Record<string, readonly ProgramInput[]>> = {
	docker: dockerPrograms,
	files: filePrograms,
	git: gitPrograms,
	network: networkPrograms,
	shell: shellPrograms,
	system: systemPrograms,
	text: textPrograms,
	writing: writingPrograms,
};
