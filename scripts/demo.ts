/** `npm run demo`: shows what Warren does, by doing it. Each step is a command a reader can type. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const WARREN = resolve(import.meta.dirname, '../packages/cli/bin/warren.cjs');

const STEPS: readonly { readonly says: string; readonly args: readonly string[] }[] = [
  { says: 'Which version this is', args: ['--version'] },
];

for (const { says, args } of STEPS) {
  console.log(`\n# ${says}\n$ warren ${args.join(' ')}`);
  const done = spawnSync(process.execPath, [WARREN, ...args], { stdio: 'inherit' });
  if (done.status !== 0) process.exitCode = 1;
}
