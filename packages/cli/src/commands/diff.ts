/** `warren diff`: what a run changed and the host does not have. */
import { formatStat, type OpaqueProbe, patchBytes, patchText, type Review, type RunStore, reviewRun, summarizeDiff } from '@warren/sandbox';
import { isColored } from '../internal/color.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import type { DiffFlags } from '../program.ts';
import { chooseRun, hasChanges } from './choose-run.ts';

export interface ReviewParts {
  readonly store: RunStore;
  readonly probe: OpaqueProbe;
}

export async function diff(
  word: string | undefined,
  paths: readonly string[],
  flags: DiffFlags,
  host: Host,
  { store, probe }: ReviewParts,
): Promise<number> {
  const chosen = chooseRun(store, host, { run: word, paths, isCandidate: hasChanges, sought: 'that changed something' });
  const review = await reviewRun(store, chosen.run.id, { probe, ...(chosen.paths !== undefined && { paths: chosen.paths }) });
  const colour = isColored(host, host.stdout, flags.color);
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(await summarizeDiff(review), 2)}\n`);
  } else if (review.changes.length === 0) {
    await host.stderr.write(`warren: run ${review.run.id} has no changes that are not here\n`);
  } else if (flags.nameOnly === true) {
    for (const name of namesOf(review)) await host.stdout.write(`${safeText(name)}\n`);
  } else if (flags.stat === true) {
    const columns = host.stdout.size?.columns;
    await host.stdout.write(formatStat(await summarizeDiff(review), { colour, ...(columns !== undefined && { columns }) }));
  } else {
    // To a terminal only what it cannot obey; to a file or a pipe exactly the patch, so that it can be applied.
    const parts = colour || host.stdout.isTerminal ? patchText(review, { colour }) : patchBytes(review);
    for await (const part of parts) await host.stdout.write(part);
  }
  return 0;
}

/** Without directories that only hold other names. */
function namesOf({ changes }: Review): readonly string[] {
  const holders = new Set<string>();
  for (const { path } of changes)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) holders.add(path.slice(0, at));
  return changes
    .filter(({ path, after, before }) => !((after ?? before)?.kind === 'directory' && holders.has(path)))
    .map(({ path }) => nameOf(path));
}

/** The library's paths have one character for each byte. */
export function nameOf(path: string): string {
  return path === '' ? '.' : Buffer.from(path, 'latin1').toString();
}
