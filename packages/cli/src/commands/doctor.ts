/** `warren doctor`: every wall of this machine, and what to do about those that are missing. */

import { painter } from '../internal/color.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import type { DoctorFlags } from '../program.ts';

export type WallReport = {
  readonly wall: string;
  readonly state: 'enforced' | 'degraded' | 'missing';
  readonly detail: string;
  readonly reason?: string;
  readonly fix?: string;
};

const MARKS = { enforced: ['✓', 'green'], degraded: ['!', 'yellow'], missing: ['✗', 'red'] } as const;

/** Returns 1 when a wall is missing. A degraded one stands, with less than it could. */
export async function doctor(flags: DoctorFlags, host: Host, diagnose: () => Promise<readonly WallReport[]>): Promise<number> {
  const walls = await diagnose();
  const missing = walls.filter(({ state }) => state === 'missing');
  const code = missing.length === 0 ? 0 : 1;
  if (flags.json === true) {
    await host.stdout.write(`${safeJson({ ok: missing.length === 0, walls }, 2)}\n`);
    return code;
  }
  const paint = painter(host, host.stdout);
  const wide = Math.max(...walls.map(({ wall }) => wall.length), 0);
  for (const { wall, state, detail, reason, fix } of walls) {
    const [mark, color] = MARKS[state];
    await host.stdout.write(`${paint(color, `${mark} ${safeText(wall).padEnd(wide)}  ${state.padEnd(8)}`)}  ${safeText(detail)}\n`);
    if (reason !== undefined) await host.stdout.write(`    why: ${safeText(reason)}\n`);
    if (fix !== undefined) await host.stdout.write(`    fix: ${safeText(fix)}\n`);
  }
  const verdict =
    missing.length === 0
      ? 'Every needed wall stands.'
      : `${missing.length} of ${walls.length} walls cannot be built: ${missing.map(({ wall }) => safeText(wall)).join(', ')}.`;
  await host.stdout.write(`\n${verdict}\n`);
  return code;
}
