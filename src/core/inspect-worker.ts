/** The other thread: inspects long programs, so that the process that asked can go on with its own work meanwhile. */
import { parentPort } from 'node:worker_threads';
import type { JobRequest } from '../contract/job.ts';
import { inspect } from './inspect.ts';

parentPort?.on('message', ({ id, request }: { id: number; request: JobRequest }) => {
	parentPort?.postMessage({ id, answer: inspect(request) });
});
