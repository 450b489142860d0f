/** Whether the tests prove what a manifest says they do. */

type Entry = { readonly origin: number | string; readonly behaviour: string; readonly waitsFor?: string; readonly why?: string };

export type Entries = Readonly<Record<string, Entry>>;

/** The ids that a file of tests cites. */
export function citedIn(source: string, by = 'proves'): readonly string[] {
  return [...source.matchAll(new RegExp(`\\b${by}\\(\\s*'([^']+)'`, 'g'))].map(([, id]) => id ?? '');
}

/** What is wrong, a sentence each. */
export function checkCitations(entries: Entries, origins: readonly Entry['origin'][], cited: readonly string[]): readonly string[] {
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

function checkEntry(id: string, { waitsFor }: Entry, isCited: boolean): readonly string[] {
  if (waitsFor !== undefined && isCited) return [`${id} is proved and still said to wait for ${waitsFor}`];
  return waitsFor !== undefined || isCited ? [] : [`${id} is proved by no test`];
}

/** Which wait for what: `agents` → their ids. */
export function countWaiting(entries: Entries): ReadonlyMap<string, readonly string[]> {
  const waiting = Object.entries(entries).flatMap(([id, { waitsFor }]) => (waitsFor === undefined ? [] : [{ id, waitsFor }]));
  return new Map([...Map.groupBy(waiting, (each) => each.waitsFor)].map(([what, ids]) => [what, ids.map(({ id }) => id)]));
}
