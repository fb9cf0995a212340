/** Sums up the reports of the test tiers in one last line; names what was skipped. Fails when a report is missing. */
import { existsSync, readFileSync } from 'node:fs';

const files = process.argv.slice(2);
const reports = files.filter((file) => existsSync(file)).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const tests = reports.flatMap((report) => report.testResults.flatMap((suite) => suite.assertionResults));
// A suite that broke before its first test has no failed test of its own.
const brokenSuites = reports.flatMap((report) =>
	report.testResults.filter(
		(suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
	),
);
const missing = files.length - reports.length;

const passed = tests.filter((test) => test.status === 'passed').length;
const failed = tests.filter((test) => test.status === 'failed').length + brokenSuites.length + missing;
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');

console.log('');
if (missing > 0) console.log(`${missing} of ${files.length} tiers ended without a report`);
for (const suite of brokenSuites) console.log(`broken: ${suite.name}`);
for (const test of skipped) console.log(`skipped: ${test.fullName}`);
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
