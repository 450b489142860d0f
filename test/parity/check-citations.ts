/** Whether the tests prove what the manifest says they do. */
import type { Origin, Proved, Waiting } from './manifest.ts';

export type Entries = Readonly<Record<string, Proved | Waiting>>;

/** The ids that a file of tests cites. */
export function citedIn(source: string): readonly string[] {
  return [...source.matchAll(/\bproves\(\s*'([^']+)'/g)].map(([, id]) => id ?? '');
}

/** What is wrong, a sentence each. */
export function checkCitations(entries: Entries, origins: readonly Origin[], cited: readonly string[]): readonly string[] {
  const named = new Set(Object.values(entries).map(({ origin }) => origin));
  const known = new Set(origins);
  return [
    ...origins.filter((origin) => !named.has(origin)).map((origin) => `group ${origin} is not in the manifest`),
    ...Object.entries(entries).flatMap(([id, { origin }]) =>
      known.has(origin) ? [] : [`${id} is of group ${origin}, which there is not`],
    ),
    ...Object.entries(entries).flatMap(([id, entry]) => checkEntry(id, entry, cited.includes(id))),
    ...[...new Set(cited)].filter((id) => !Object.hasOwn(entries, id)).map((id) => `${id} is cited and not in the manifest`),
  ];
}

function checkEntry(id: string, entry: Proved | Waiting, isCited: boolean): readonly string[] {
  const doesWait = 'waitsFor' in entry;
  if (doesWait && isCited) return [`${id} is proved and still said to wait for ${entry.waitsFor}`];
  return doesWait || isCited ? [] : [`${id} is proved by no test`];
}

/** How many wait for what: `agents: 9, capabilities: 16`. */
export function countWaiting(entries: Entries): ReadonlyMap<Waiting['waitsFor'], readonly string[]> {
  const waiting = Object.entries(entries).flatMap(([id, entry]) => ('waitsFor' in entry ? [{ id, for: entry.waitsFor }] : []));
  return new Map([...Map.groupBy(waiting, (each) => each.for)].map(([what, ids]) => [what, ids.map(({ id }) => id)]));
}
