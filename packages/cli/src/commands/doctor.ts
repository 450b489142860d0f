/** `warren doctor`: every wall of this machine, and what to do about those that are missing. */
import { printChecks } from '../internal/checks.ts';
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

/** Returns 1 when a wall is missing. A degraded one stands, with less than it could. */
export async function doctor(flags: DoctorFlags, host: Host, diagnose: () => Promise<readonly WallReport[]>): Promise<number> {
  const walls = await diagnose();
  const missing = walls.filter(({ state }) => state === 'missing');
  const code = missing.length === 0 ? 0 : 1;
  if (flags.json === true) {
    await host.stdout.write(`${safeJson({ ok: missing.length === 0, walls }, 2)}\n`);
    return code;
  }
  await printChecks(
    host,
    walls.map(({ wall, state, ...rest }) => ({ name: wall, state, word: state, ...rest })),
  );
  const verdict =
    missing.length === 0
      ? 'Every needed wall stands.'
      : `${missing.length} of ${walls.length} walls cannot be built: ${missing.map(({ wall }) => safeText(wall)).join(', ')}.`;
  await host.stdout.write(`\n${verdict}\n`);
  return code;
}
