/** Whether this process could soon be short of memory. */

import { totalmem } from 'node:os';
import { availableMemory } from 'node:process';

const MiB = 1024 * 1024;

/** What must stay free, beside a share of the whole machine. */
const leastFreeBytes = 192 * MiB;
const freeShare = 0.05;

/** Looks at the machine and at the control group that we are in. */
export const isShortOfMemory = (): boolean => availableMemory() < Math.max(leastFreeBytes, totalmem() * freeShare);
