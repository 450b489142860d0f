/**
 * Labels of files, by the paths that processes were granted. Nobody sees which files a command writes, so what a process with labels may write carries
 * them from the moment it could; and what such a path may be copied to by a process that runs already carries them too. Coarse, and few: beyond 256 all
 * files carry all of them.
 */

import type { ReadTransaction, Transaction } from '../store/store.ts';
import { PROCESS_STATES } from '../store/tables/process-table.ts';
import type { FileTaintRow } from '../store/tables/taint-table.ts';
import { mergeLabels } from './labels.ts';

const ROWS_MAX = 256;
const PAGE = 1_000;
const LIVE = PROCESS_STATES.filter((state) => state !== 'DEAD');

type Place = { readonly prefix: string; readonly label: string };

/** Of the files this process may read. */
export function fileLabelsFor({ taints, grants }: ReadTransaction, pid: number): readonly FileTaintRow[] {
  const labelled = taints.ofFiles();
  if (labelled.length === 0) return labelled;
  const paths = grants.find(pid)?.paths ?? [];
  return labelled.filter(({ prefix }) => paths.some((grant) => isShared(grant.prefix, prefix)));
}

/** What this process may write carries these labels. Whether that is new. */
export function labelFiles(transaction: Transaction, pid: number, labels: readonly string[]): boolean {
  const found = newPlaces(transaction, pid, labels);
  if (found.length === 0) return false;
  const { taints, events, now } = transaction;
  const places = follow(transaction, found);
  const all = [...taints.ofFiles(), ...places];
  if (all.length > ROWS_MAX) {
    taints.clearFiles();
    for (const label of mergeLabels(all.map((each) => each.label)) ?? []) taints.addToFiles({ prefix: '/', label, since: now });
  } else for (const place of places) taints.addToFiles({ ...place, since: now });
  events.append({
    pid,
    kind: 'kernel.files.tainted',
    payload: { labels: [...new Set(places.map(({ label }) => label))].slice(0, ROWS_MAX) },
  });
  return true;
}

/** Where it may write and these labels are not yet. */
export function newPlaces({ taints, grants }: ReadTransaction, pid: number, labels: readonly string[]): readonly Place[] {
  if (labels.length === 0) return [];
  const writable = (grants.find(pid)?.paths ?? []).filter(({ mode }) => mode === 'rw');
  return notIn(
    taints.ofFiles(),
    writable.flatMap(({ prefix }) => labels.map((label) => ({ prefix, label }))),
  );
}

/** A process that runs already may copy, in the background, from where it may read to where it may write. */
function follow(transaction: Transaction, first: readonly Place[]): readonly Place[] {
  const { taints, grants } = transaction;
  const places = [...first];
  const holders = livePids(transaction).flatMap((pid) => {
    const paths = grants.find(pid)?.paths ?? [];
    return paths.some(({ mode }) => mode === 'rw') ? [paths] : [];
  });
  for (let index = 0; index < places.length && places.length <= ROWS_MAX; index++) {
    const place = places[index];
    if (place === undefined) break;
    for (const paths of holders) {
      if (!paths.some(({ prefix }) => isShared(prefix, place.prefix))) continue;
      const reached = paths.filter(({ mode }) => mode === 'rw').map(({ prefix }) => ({ prefix, label: place.label }));
      places.push(...notIn([...taints.ofFiles(), ...places], reached));
    }
  }
  return places;
}

function livePids({ processes }: ReadTransaction): readonly number[] {
  const pids: number[] = [];
  for (const state of LIVE) {
    for (let offset = 0; ; offset += PAGE) {
      const page = processes.list({ state }, { limit: PAGE, offset });
      pids.push(...page.map(({ pid }) => pid));
      if (page.length < PAGE) break;
    }
  }
  return pids;
}

/** Those that no place at or above has. */
function notIn(known: readonly Place[], places: readonly Place[]): readonly Place[] {
  return places.filter(({ prefix, label }) => !known.some((each) => each.label === label && isWithin(prefix, each.prefix)));
}

/** Whether some file lies below both. */
function isShared(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
