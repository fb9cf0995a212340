/** The way into the checker for the bundles that share it: the build makes one file of it. */
export { check } from './check.ts';
export { factsIn } from './commands.ts';
export { describeFindings } from './describe.ts';
export { detect } from './detect.ts';
export { forEachChild, parse } from './languages/parse.ts';
export { TooMuchWork, withinWork } from './values/work.ts';
