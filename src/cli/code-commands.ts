/** The commands that run and check code. They are a bundle of their own, loaded when one of them is wanted. */
import { check } from './commands/check.ts';
import { doctor } from './commands/doctor.ts';
import { packages } from './commands/packages.ts';
import { run } from './commands/run.ts';
import { sessions } from './commands/sessions.ts';
import { setup } from './commands/setup.ts';

export const codeCommands = { run, check, doctor, setup, packages, sessions };
