/** Makes attempts as an ordinary user of the host, who has one id and no cgroups: in a process of that user's own. */
import { execFile, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { RemovableWall } from '@warren/sandbox/testing';
import type { Answers } from './run-attempts.ts';

/** Nobody's on any system we know of. */
export const ORDINARY_USER = { uid: 54_321, gid: 54_321 } as const;
const REPORT = resolve(import.meta.dirname, 'report.ts');
const OUTPUT_BYTES_MAX = 1 << 24;

/** Why this cannot be done here; `undefined` when it can. */
export function whyNotAsUser(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can become another user';
  const looked = spawnSync('test', ['-r', REPORT], ORDINARY_USER);
  return looked.status === 0 ? undefined : 'another user cannot read this checkout';
}

/** All that can be made without root when there are no ids. */
export async function runAsUser(ids: readonly string[], without: readonly RemovableWall[] = []): Promise<Answers> {
  const flags = ['--conditions=warren-source', REPORT, '--json', ...without.flatMap((wall) => ['--without', wall]), ...ids];
  const options = { ...ORDINARY_USER, cwd: '/', env: { PATH: process.env['PATH'] ?? '', HOME: '/tmp' }, maxBuffer: OUTPUT_BYTES_MAX };
  const { promise, resolve: settle } = Promise.withResolvers<string>();
  // It exits with 1 when an answer is not the expected one; what counts is what it prints.
  execFile(process.execPath, flags, options, (_error, stdout, stderr) => settle(stdout === '' ? stderr : stdout));
  const printed = await promise;
  if (!printed.startsWith('{')) throw new Error(`The report of another user says ${printed.slice(0, 2_000)}`);
  const { attempts } = JSON.parse(printed) as { attempts: readonly { id: string; answer: string }[] }; // Printed by report.ts.
  return new Map(attempts.map(({ id, answer }) => [id, answer]));
}
