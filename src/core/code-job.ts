/** A job that runs code: how it goes through the stages of the story, from the static check to a box of its own. */
import type { Readable } from 'node:stream';
import { KnownError, problemFor } from '../contract/error.ts';
import type { JobRequest, JobResult } from '../contract/job.ts';
import { boxSpecFor } from './box-spec.ts';
import { execute, type Refusal, type Ruling, type Stages } from './execute.ts';
import type { Inspected } from './inspect.ts';
import { explainMissingModule } from './missing-module.ts';
import { Gateway } from './network/gateway.ts';
import { bindSecrets, intercept } from './network/interception.ts';
import { type NetworkRules, networkRules } from './network/rules.ts';
import { minorOf } from './packages/bundle.ts';
import type { Boxes, Executor, Inspector, JobContext, Packages } from './ports.ts';
import type { FairQueue } from './queue.ts';
import { type MaskedContext, Recorder } from './recorder.ts';
import { withoutRun } from './result.ts';
import { hostCertificates } from './sandbox/image.ts';
import type { Runtime } from './sandbox/runtimes/runtime.ts';
import { secretFault } from './secrets/inject.ts';
import { maskResult } from './secrets/mask-result.ts';
import { createMask } from './secrets/redact.ts';
import { inSession, type RunWithSession, type SessionPart } from './session-job.ts';

export interface Parts {
	readonly boxes: Boxes;
	readonly queue: FairQueue;
	readonly inspect: Inspector;
}

export function createExecutor(parts: Parts): Executor {
	const { backend } = parts.boxes;
	return {
		run: (request, context = {}) => runCode(parts, request, context),
		settle: () => backend.settle(),
		close: () => backend.close(),
	};
}

/** Whatever is said about a job, no value of a secret is in it. */
async function runCode(parts: Parts, request: JobRequest, context: JobContext): Promise<JobResult> {
	const fault = secretFault(request.secrets, context.secretValues);
	if (fault !== undefined) return unsupported('secrets', fault).refused;
	const mask = createMask(context.secretValues ?? {});
	return maskResult(await execute(codeStages(parts, request, { ...context, mask })), mask);
}

const unsupported = (field: string, details: string): Refusal => ({
	refused: withoutRun('denied', problemFor('JOB_UNSUPPORTED', { field, details })),
});

/** A list of imports says what beside the packages may be imported; whoever chose a bundle wants it used. */
function withBundle(boxes: Boxes, request: JobRequest): JobRequest {
	if (request.allowedImports === undefined) return request;
	return { ...request, allowedImports: [...request.allowedImports, ...boxes.packagesFor(request.bundle).modules] };
}

/** Whoever builds the workflow, or types the command, is the policy; the jail is the wall. So there is nothing to ask and no ledger. */
const allowed: Ruling = { decision: 'allow' };

function codeStages(parts: Parts, request: JobRequest, context: MaskedContext): Stages<Inspected, Ruling> {
	return {
		check: async () => parts.inspect(withBundle(parts.boxes, request)),
		decide: async () => allowed,
		approve: async () => undefined,
		turn: { queue: parts.queue, key: request.labels.workflow ?? '', signal: context.signal },
		known: ({ language, findings }) => ({ language, findings }),
		recordStart: async () => undefined,
		run: (inspected) => runCodeJob(parts.boxes, request, context, inspected),
		recordEnd: async () => {},
	};
}

/** What a program gets for its secrets, and what puts in the values of those that are bound to hosts. */
async function secretsOf(request: JobRequest, context: MaskedContext, rules: NetworkRules) {
	const values = context.secretValues ?? {};
	const hosts = context.secretHosts ?? {};
	const substitution = bindSecrets({ names: request.secrets, values, hosts, mask: context.mask });
	if (!substitution) return { values };
	const hasNetwork = rules.ports.length > 0;
	return {
		values: { ...values, ...substitution.placeholders },
		...(hasNetwork && { interception: await intercept(substitution, context.mask, hostCertificates()) }),
	};
}

function runCodeJob(
	boxes: Boxes,
	request: JobRequest,
	context: MaskedContext,
	inspected: Inspected,
): Promise<JobResult> {
	const wish = context.session ?? (request.session === undefined ? undefined : boxes.sessionFor(request.session));
	if (!wish) return runInBox(boxes, request, context, inspected);
	return inSession(wish, request, (whole, part, keep) => runInBox(boxes, whole, context, inspected, { part, keep }));
}

/** Compiled for another Python, its packages would fail in words that nobody understands. */
function requireFittingBundle(bundle: string, { pythonVersion }: Packages, runtime: Runtime | null): void {
	if (runtime?.language !== 'python' || pythonVersion === undefined) return;
	const [made, runs] = [minorOf(pythonVersion), minorOf(runtime.version)];
	if (made !== runs) throw new KnownError('BUNDLE_OUTDATED', { name: bundle, made, runs });
}

interface WithSession {
	readonly part: SessionPart;
	readonly keep: Parameters<RunWithSession>[2];
}

async function runInBox(
	boxes: Boxes,
	request: JobRequest,
	context: MaskedContext,
	inspected: Inspected,
	session?: WithSession,
): Promise<JobResult> {
	const rules = networkRules(request.network);
	const { values, interception } = await secretsOf(request, context, rules);
	const runtime = inspected.language === null ? null : await boxes.runtimeFor(inspected.language);
	const packages = boxes.packagesFor(request.bundle);
	requireFittingBundle(request.bundle, packages, runtime);
	const inputs = await boxes.shareInputs(request);
	const gateway = new Gateway(rules, interception, (decision) =>
		context.onDecision?.({ ...decision, host: context.mask.text(decision.host) }),
	);
	const receiver = session?.part.receiver;
	const onRest = receiver && ((rest: Readable) => receiver.receive(rest));
	const recorder = new Recorder(request, context, gateway, onRest);
	try {
		const spec = boxSpecFor(request, {
			inspected,
			runtime,
			secretValues: values,
			inFolder: inputs?.path,
			wantsFiles: context.outDir !== undefined,
			session: session?.part,
			packages: packages.binds,
			modules: packages.modules,
			ports: rules.ports,
			trust: interception && { certificates: hostCertificates(), authority: interception.authority.certificate },
		});
		const outcome = await boxes.backend.run(spec, recorder.io(request.stdin));
		const result = await recorder.result(outcome, boxes.backend.name, inspected);
		const explained = explainMissingModule(result, {
			bundle: request.bundle,
			modules: packages.modules,
			bundlesWith: (language, module) => boxes.bundlesWith(language, module),
		});
		return session ? await session.keep(explained, inputs?.path) : explained;
	} finally {
		recorder.close();
		gateway.close();
		inputs?.remove();
	}
}
