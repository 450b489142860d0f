/** A list of things that were looked at, as `warren doctor` prints it. */
import { painter } from './color.ts';
import type { Host } from './host.ts';
import { safeText } from './safe-text.ts';

export type Check = {
  readonly name: string;
  /** `missing` is what has to be dealt with; `degraded` could be better. */
  readonly state: 'enforced' | 'degraded' | 'missing';
  /** How the state is called here. */
  readonly word: string;
  readonly detail: string;
  readonly reason?: string | undefined;
  readonly fix?: string | undefined;
};

const MARKS = { enforced: ['✓', 'green'], degraded: ['!', 'yellow'], missing: ['✗', 'red'] } as const;

export async function printChecks(host: Host, checks: readonly Check[]): Promise<void> {
  const paint = painter(host, host.stdout);
  const wide = Math.max(...checks.map(({ name }) => name.length), 0);
  for (const { name, state, word, detail, reason, fix } of checks) {
    const [mark, color] = MARKS[state];
    await host.stdout.write(`${paint(color, `${mark} ${safeText(name).padEnd(wide)}  ${word.padEnd(8)}`)}  ${safeText(detail)}\n`);
    if (reason !== undefined) await host.stdout.write(`    why: ${safeText(reason)}\n`);
    if (fix !== undefined) await host.stdout.write(`    fix: ${safeText(fix)}\n`);
  }
}
