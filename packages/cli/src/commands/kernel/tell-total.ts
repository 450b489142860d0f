import type { Host } from '../../internal/host.ts';

/** Says how much there is beside what was shown. On standard error: it is no part of the table. */
export async function tellTotal(host: Host, shown: number, total: number, what: string): Promise<void> {
  if (total === 0) await host.stderr.write(`warren: no ${what}\n`);
  else if (shown < total) await host.stderr.write(`warren: ${shown} of ${total} ${what}; --limit shows more\n`);
}
