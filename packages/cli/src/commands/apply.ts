/** `warren apply`: brings what a run changed into the real directory. */
import { Fault, isFault } from '@warren/protocol';
import { type ApplyResult, applyRun, type RefusalReason, type ReviewedChange, reviewRun } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { shellWord } from '../internal/shell-words.ts';
import type { ApplyFlags } from '../program.ts';
import { type ChosenRun, chooseRun, hasChanges } from './choose-run.ts';
import { nameOf, type ReviewParts } from './diff.ts';

type Refused = { readonly path: string; readonly reason: RefusalReason; readonly detail: string };

/** Returns 1 when something that was asked for was left alone. A conflict is a fault, and nothing was touched. */
export async function apply(
  word: string | undefined,
  paths: readonly string[],
  flags: ApplyFlags,
  host: Host,
  parts: ReviewParts,
): Promise<number> {
  const chosen = chooseRun(parts.store, host, { run: word, paths, isCandidate: hasChanges, sought: 'that changed something' });
  return await interruptible(host, async (signal) => {
    if (flags.dryRun === true) return await rehearse(chosen, flags, host, parts, signal);
    const options = { probe: parts.probe, signal, force: flags.force === true, ...(chosen.paths !== undefined && { paths: chosen.paths }) };
    const result = await applyRun(parts.store, chosen.run.id, options).catch((error: unknown) => explain(error, chosen));
    if (flags.json === true) {
      const { applied, alreadyApplied, refused, remaining } = result;
      await host.stdout.write(`${safeJson({ run: chosen.run.id, applied, alreadyApplied, refused, remaining }, 2)}\n`);
    } else {
      await host.stdout.write(`${summary(result)}\n`);
      await sayRefused(result.refused, chosen, host);
    }
    return result.refused.length === 0 ? 0 : 1;
  });
}

function summary({ run, applied, alreadyApplied, refused, remaining }: ApplyResult): string {
  const directory = safeText(run.directory);
  const rest = remaining > 0 ? `, ${count(remaining, 'change')} not asked for` : '';
  if (applied.length > 0) return `${count(applied.length, 'change')} applied to ${directory}${rest} · warren undo ${run.id}`;
  if (refused.length > 0) return `nothing applied to ${directory}${rest}`;
  return alreadyApplied > 0
    ? `nothing to apply: ${directory} has it all already${rest}`
    : `nothing to apply: run ${run.id} changed nothing`;
}

async function sayRefused(refused: readonly Refused[], { run }: ChosenRun, host: Host): Promise<void> {
  for (const { path, detail } of refused) await host.stderr.write(`warren: left alone: ${safeText(path)}: ${safeText(detail)}\n`);
  const wary = refused.filter(({ reason }) => reason === 'attention');
  const [first] = wary;
  if (first !== undefined)
    await host.stderr.write(`  fix: look at it, then: warren apply ${run.id} ${shellWord(first.path)}${wary.length > 1 ? ' …' : ''}\n`);
}

/** What an apply would do, and whether it could. */
async function rehearse(
  chosen: ChosenRun,
  flags: ApplyFlags,
  host: Host,
  { store, probe }: ReviewParts,
  signal: AbortSignal,
): Promise<number> {
  const { run, changes } = await reviewRun(store, chosen.run.id, {
    probe,
    signal,
    ...(chosen.paths !== undefined && { paths: chosen.paths }),
  });
  const refused = changes.flatMap((change) => refusalOf(change, chosen, flags));
  const left = new Set(refused.map(({ path }) => path));
  const conflicts = changes.flatMap(({ path, status }) => {
    if (status.kind !== 'conflict' || left.has(nameOf(path)) || (flags.force === true && status.isForceable)) return [];
    return [{ path: nameOf(path), reason: status.reason }];
  });
  const blocked = new Set(conflicts.map(({ path }) => path));
  const applied = changes.map(({ path }) => nameOf(path)).filter((path) => !left.has(path) && !blocked.has(path));
  if (flags.json === true) {
    await host.stdout.write(`${safeJson({ run: run.id, dryRun: true, applied, conflicts, refused }, 2)}\n`);
  } else {
    for (const path of applied) await host.stdout.write(`${conflicts.length > 0 ? 'could apply' : 'would apply'}: ${safeText(path)}\n`);
    for (const { path, reason } of conflicts) await host.stdout.write(`conflict: ${safeText(path)}: ${safeText(reason)}\n`);
    for (const { path, detail } of refused) await host.stdout.write(`would leave alone: ${safeText(path)}: ${safeText(detail)}\n`);
    if (changes.length === 0) await host.stdout.write('nothing to apply\n');
  }
  return conflicts.length + refused.length === 0 ? 0 : 1;
}

/** As the library decides it: what deserves attention is taken when it is forced, or named as being inside a `.git`. */
function refusalOf({ path, refusal, attention }: ReviewedChange, { paths = [] }: ChosenRun, flags: ApplyFlags): readonly Refused[] {
  const name = nameOf(path);
  if (refusal !== undefined) return [{ path: name, reason: refusal.reason, detail: refusal.detail }];
  const isNamed = paths.some((one) => one.toLowerCase().split('/').includes('.git') && (name === one || name.startsWith(`${one}/`)));
  if (attention === undefined || flags.force === true || isNamed) return [];
  return [{ path: name, reason: 'attention', detail: attention }];
}

function explain(error: unknown, { run }: ChosenRun): never {
  if (isFault(error, 'conflict')) {
    const fix = `look at warren diff ${run.id}, then take some paths, or overwrite: warren apply ${run.id} --force`;
    throw new Fault('conflict', error.message, { details: { ...error.details, fix }, cause: error });
  }
  throw error;
}
