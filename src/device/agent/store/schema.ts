/** The tables of the store, and how an older file becomes a file of now. */
import type { DatabaseSync } from 'node:sqlite';
import { KnownError } from '../../../contract/error.ts';
import { auditSchema } from '../../../core/audit/schema.ts';

const jobs = `CREATE TABLE jobs (
	n INTEGER PRIMARY KEY,
	job_id TEXT NOT NULL UNIQUE,
	face TEXT NOT NULL,
	client_id TEXT,
	idempotency_key TEXT,
	principal TEXT NOT NULL,
	principal_json TEXT NOT NULL,
	draft_json TEXT NOT NULL,
	compat_json TEXT,
	decision_json TEXT,
	state TEXT NOT NULL,
	approval_id TEXT,
	result_json TEXT,
	is_confirmed_dead INTEGER,
	accepted_at INTEGER NOT NULL,
	started_at INTEGER,
	ended_at INTEGER,
	audit_hash TEXT NOT NULL DEFAULT '',
	stdout_total INTEGER NOT NULL DEFAULT 0,
	stdout_stored INTEGER NOT NULL DEFAULT 0,
	stderr_total INTEGER NOT NULL DEFAULT 0,
	stderr_stored INTEGER NOT NULL DEFAULT 0,
	has_output INTEGER NOT NULL DEFAULT 0,
	is_kept INTEGER NOT NULL DEFAULT 1,
	used_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX jobs_by_client ON jobs (principal, face, client_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_key ON jobs (principal, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_of_principal ON jobs (principal);
CREATE INDEX jobs_by_time ON jobs (principal, accepted_at);
CREATE INDEX jobs_not_over ON jobs (state) WHERE state IN ('awaiting_approval', 'queued', 'running');
CREATE INDEX jobs_with_output ON jobs (principal) WHERE has_output = 1;`;

const approvals = `CREATE TABLE approvals (
	n INTEGER PRIMARY KEY,
	approval_id TEXT NOT NULL UNIQUE,
	job_id TEXT NOT NULL,
	state TEXT NOT NULL,
	approval_json TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_by_job ON approvals (job_id);
CREATE INDEX approvals_open ON approvals (state) WHERE state IN ('pending', 'approved');`;

const nonces = `CREATE TABLE nonces (
	scope TEXT NOT NULL,
	nonce TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (scope, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_end ON nonces (expires_at);`;

/** Not strict, and with the types of QuickCMD's own table, which its programs ask for. */
const runTexts = `CREATE TABLE run_texts (
	n INTEGER PRIMARY KEY,
	prompt TEXT NOT NULL DEFAULT '',
	selected_command TEXT NOT NULL DEFAULT '',
	stdout TEXT NOT NULL DEFAULT '',
	stderr TEXT NOT NULL DEFAULT '',
	created_at DATETIME NOT NULL
);`;

/** QuickCMD's table as its tools read it: every job of every face, no column NULL. */
const runs = `CREATE VIEW runs AS SELECT
	jobs.n AS id,
	strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(started_at, accepted_at) / 1000.0, 'unixepoch') AS timestamp,
	principal AS user,
	run_texts.prompt AS prompt,
	run_texts.selected_command AS selected_command,
	CASE WHEN started_at IS NULL THEN '' ELSE job_id END AS sandbox_id,
	coalesce(json_extract(result_json, '$.exitCode'), -1) AS exit_code,
	run_texts.stdout AS stdout,
	run_texts.stderr AS stderr,
	CASE WHEN json_extract(decision_json, '$.isHighRisk') OR json_extract(decision_json, '$.decision') = 'deny' THEN 'high'
		WHEN json_extract(decision_json, '$.decision') = 'allow' THEN 'low' ELSE 'medium' END AS risk_level,
	coalesce(json_extract(compat_json, '$.snapshot'), '') AS snapshot,
	started_at IS NOT NULL AS executed,
	CAST(coalesce(json_extract(result_json, '$.durationMs'), ended_at - started_at, 0) AS INTEGER) AS duration_ms,
	run_texts.created_at AS created_at
	FROM jobs JOIN run_texts ON run_texts.n = jobs.n;`;

/** The same ids, so that one can be looked for whoever chose it. */
const clientIds = `DROP INDEX jobs_by_client;
CREATE UNIQUE INDEX jobs_by_client ON jobs (face, client_id, principal) WHERE client_id IS NOT NULL;`;

/** Step i brings a file from version i to version i + 1. */
const steps: readonly string[] = [
	[...auditSchema.map((sql) => `${sql};`), jobs, approvals, nonces, runTexts, runs].join('\n'),
	clientIds,
];

export function migrate(db: DatabaseSync): void {
	const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number };
	if (found > steps.length) {
		const details = `the database was written by a newer version (${found}, this one knows ${steps.length})`;
		throw new KnownError('CONFIG_INVALID', { details });
	}
	for (const [version, sql] of steps.entries()) {
		if (version >= found) db.exec(`BEGIN IMMEDIATE;\n${sql}\nPRAGMA user_version = ${version + 1};\nCOMMIT;`);
	}
}
