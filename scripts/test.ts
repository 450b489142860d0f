/** `npm test`: runs vitest (arguments go to it), then says loudly which tests were skipped and why. A skip without a reason is a failure. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { countTests, RESULTS, readReport } from './test-results.ts';

process.chdir(resolve(import.meta.dirname, '..'));
mkdirSync('build/test', { recursive: true }); // Small C programs that tests compile go there.
rmSync(RESULTS, { force: true });

const args = process.argv.slice(2);
const own = `${RESULTS}.${process.pid}`; // Somebody else may be testing in this tree.
// skip-reasons adds to the results what the JSON reporter leaves out, so it stands before it.
const reporters = ['--reporter=default', '--reporter=./scripts/skip-reasons.ts', '--reporter=json', `--outputFile.json=${own}`];
const vitest = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exitCode = vitest.status ?? 1;

const report = readReport(own);
if (report === undefined) {
  console.error('vitest wrote no results');
  process.exitCode ||= 1;
} else {
  renameSync(own, RESULTS);
  const { skipped } = countTests(report);
  const isFiltered = args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern')); // Then what was not asked for is skipped too.
  if (skipped.length > 0 && !isFiltered) {
    console.log(`\nSKIPPED: ${skipped.length} of the tests did not run`);
    for (const { name, reason } of skipped) console.log(`  ${name}: ${reason ?? 'NO REASON GIVEN'}`);
    if (skipped.some(({ reason }) => reason === undefined)) {
      console.error("A skip must say why: call skip(condition, 'reason') of the test context");
      process.exitCode ||= 1;
    }
  }
}
