/** `warren runs`: what ran, and what became of its changes. */
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { RunExit, RunRecord, RunStore } from '@warren/sandbox';
import { type Color, painter } from '../internal/color.ts';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { shellWords } from '../internal/shell-words.ts';
import { formatTable } from '../internal/table.ts';
import type { RunsFlags } from '../program.ts';

const SHOWN_MAX = 20;
const IDS_MAX = 1_000;
/** How much of a command is worth showing where no terminal says how wide it is. */
const COMMAND_CHARACTERS_MAX = 200;

const STATUS_COLORS: Readonly<Record<RunRecord['status'], Color>> = { open: 'cyan', ended: 'green', crashed: 'red' };

export async function runs(flags: RunsFlags, host: Host, { store }: { readonly store: RunStore }): Promise<number> {
  const { runs: all, damaged } = store.listRuns();
  const directory = flags.dir === undefined ? undefined : canonical(resolve(host.cwd(), flags.dir));
  const chosen = all.filter((run) => directory === undefined || run.directory === directory);
  if (flags.ids === true) {
    await host.stdout.write(
      chosen
        .slice(0, IDS_MAX)
        .map(({ id }) => `${id}\n`)
        .join(''),
    );
    return 0;
  }
  const shown = flags.all === true ? chosen : chosen.slice(0, SHOWN_MAX);
  const more = chosen.length - shown.length;
  if (flags.json === true) {
    const records = shown.map((run) => ({ ...run, startedNs: `${run.startedNs}` }));
    const broken = damaged.map(({ id, fault }) => ({ id, error: { code: fault.code, message: fault.message } }));
    await host.stdout.write(`${safeJson({ runs: records, damaged: broken, more }, 2)}\n`);
    return 0;
  }
  if (shown.length > 0) await host.stdout.write(table(shown, host));
  else
    await host.stderr.write(
      `warren: no runs${directory === undefined ? '' : ` of ${safeText(directory)}`}; begin with: warren run --dir . -- …\n`,
    );
  if (more > 0) await host.stderr.write(`warren: ${count(more, 'older run')}: warren runs --all\n`);
  for (const { id, fault } of damaged)
    await host.stderr.write(`warren: run ${id} is damaged: ${safeText(fault.message)}\n  fix: warren rm --force ${id}\n`);
  return 0;
}

function table(shown: readonly RunRecord[], host: Host): string {
  const paint = painter(host, host.stdout);
  const columns = [
    { title: 'RUN' },
    { title: 'AGE', align: 'right' },
    { title: 'STATUS', paint: (cell: string, row: number) => paint(STATUS_COLORS[shown[row]?.status ?? 'ended'], cell) },
    { title: 'EXIT' },
    { title: 'CHANGES', align: 'right' },
    { title: 'LAYER' },
    { title: 'DIRECTORY' },
    { title: 'COMMAND' },
  ] as const;
  const rows = shown.map((run) => [
    run.id,
    age(host.now() - Date.parse(run.createdAt)),
    run.status === 'open' ? 'running' : run.status,
    run.exit === undefined ? '-' : exitWord(run.exit),
    run.layer.changes === undefined ? '?' : `${run.layer.changes}`,
    run.layer.state,
    directoryWord(run.directory, host),
    shellWords(run.command).slice(0, COMMAND_CHARACTERS_MAX),
  ]);
  return formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY);
}

/** One unit is enough to find a run again. */
export function age(durationMs: number): string {
  const units = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]] as const; // biome-ignore format: a table
  const [unit, unitMs] = units.find(([, each]) => durationMs >= each) ?? ['s', 1_000];
  return `${Math.max(0, Math.floor(durationMs / unitMs))}${unit}`;
}

function exitWord(exit: RunExit): string {
  switch (exit.kind) {
    case 'exited':
    case 'not_started':
      return `${exit.code}`;
    case 'signalled':
      return exit.signal;
    case 'stopped':
      return exit.by;
    default:
      return exit satisfies never;
  }
}

function directoryWord(directory: string, host: Host): string {
  const home = host.env['HOME'] ?? homedir();
  const isBelow = home !== '/' && home !== '' && (directory === home || directory.startsWith(`${home}/`));
  return safeText(isBelow ? `~${directory.slice(home.length)}` : directory);
}

/** Of a directory that is gone there may still be runs. */
function canonical(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // Then as it was written.
  }
}
