/** The tables of the audit, letter by letter: whoever verifies compares what the database says of itself with these texts. Pure. */

/** Columns are called and ordered as the sealed JSON has them, so that a row is the record. */
const audit = `CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	at TEXT NOT NULL,
	event TEXT NOT NULL,
	jobId TEXT,
	requestId TEXT,
	face TEXT,
	principal TEXT,
	keyId TEXT,
	capability TEXT,
	decision TEXT,
	rule TEXT,
	approvalId TEXT,
	policyHash TEXT,
	commandDigest TEXT,
	status TEXT,
	exitCode INTEGER,
	stdoutBytes INTEGER,
	stderrBytes INTEGER,
	backend TEXT,
	detailHash TEXT,
	prev TEXT NOT NULL,
	seal TEXT NOT NULL
) STRICT`;

const detail = `CREATE TABLE audit_detail (
	seq INTEGER PRIMARY KEY,
	detail TEXT NOT NULL
) STRICT`;

/** device_agent's chain; seq is the line of the audit that vouches for the row. */
const deviceLog = `CREATE TABLE device_log (
	seq INTEGER PRIMARY KEY,
	id INTEGER NOT NULL,
	ts TEXT NOT NULL,
	request_id TEXT NOT NULL,
	capability TEXT NOT NULL,
	args_hash TEXT NOT NULL,
	exit_code INTEGER,
	prev_hash TEXT NOT NULL,
	this_hash TEXT NOT NULL
) STRICT`;

const shellEval = `CREATE TABLE audit_shell_eval (
	audit_id INTEGER PRIMARY KEY,
	cmd TEXT NOT NULL,
	cwd TEXT NOT NULL,
	shell TEXT NOT NULL,
	stdout_b64 TEXT NOT NULL,
	stderr_b64 TEXT NOT NULL
) STRICT`;

export const auditTables = { audit, audit_detail: detail, device_log: deviceLog, audit_shell_eval: shellEval } as const;

/** device_agent's table as its tools read it. */
const auditLogView = `CREATE VIEW audit_log AS
	SELECT id, ts, request_id, capability, args_hash, exit_code, prev_hash, this_hash FROM device_log`;

export const auditSchema: readonly string[] = [...Object.values(auditTables), auditLogView];
