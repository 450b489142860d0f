/** Workspaces: made, listed, and given their share. */
import { Fault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { Store } from '../store/store.ts';
import type { WorkspaceRow, WorkspaceTableReads } from '../store/tables/workspace-table.ts';
import type { SettingsChange, WorkspaceRecord, WorkspaceSettings, Workspaces } from './workspaces.ts';

const DAY_MS = 86_400_000;
/** A share so small or so large that nobody else's would count is a mistake. */
const WEIGHT_LEAST = 0.001;
const WEIGHT_MOST = 1_000;

export const SETTINGS_DEFAULT: WorkspaceSettings = {
  weight: 1,
  runningMax: 1_000,
  fileBytesMax: 10_737_418_240,
  storedBytesMax: 107_374_182_400,
  retention: {
    eventAgeMs: 30 * DAY_MS,
    eventsMax: 10_000_000,
    finishedEntryAgeMs: 7 * DAY_MS,
    finishedEntriesMax: 100_000,
    fileVersionsMax: 100,
    fileVersionAgeMs: 30 * DAY_MS,
  },
};

export function createWorkspaces(store: Store): Omit<Workspaces, 'delete' | 'finishDeletions' | 'import' | 'keep'> {
  return {
    async create(id, settings = {}) {
      parseWorkspaceId(id);
      const complete = mergeSettings(SETTINGS_DEFAULT, settings);
      return await store.writeSystem(({ workspaces, now }) => {
        requireFree(workspaces, id);
        workspaces.insert({ id, createdAt: now, settings: complete });
        return { id, createdAt: now, settings: complete };
      });
    },

    get: (id) => store.readSystem(({ workspaces }) => toRecord(require(workspaces.find(id), id))),

    list: () => store.readSystem(({ workspaces }) => workspaces.list().map(toRecord)),

    used: () => store.readSystem(({ workspaces }) => workspaces.used()),

    async update(id, settings) {
      return await store.writeSystem(({ workspaces }) => {
        const before = toRecord(require(workspaces.find(id), id));
        const after = { ...before, settings: mergeSettings(before.settings, settings) };
        workspaces.update(after);
        return after;
      });
    },
  };
}

/** Throws `already_exists`, `conflict`. */
export function requireFree(workspaces: WorkspaceTableReads, id: WorkspaceId): void {
  if (workspaces.find(id) !== undefined)
    throw new Fault('already_exists', `Cannot create workspace "${id}": it already exists`, { details: { workspace: id } });
  const alike = workspaces.findAlike(id);
  if (alike !== undefined)
    throw new Fault('already_exists', `Cannot create workspace "${id}": it differs from "${alike}" in capitals alone`, {
      details: { workspace: alike },
    });
  if (workspaces.retired().includes(id))
    throw new Fault('conflict', `Cannot create workspace "${id}": one of this id is being deleted`, { details: { workspace: id } });
}

/** Every setting is a positive number. Throws `invalid_argument` with its name. */
export function mergeSettings(before: WorkspaceSettings, changes: SettingsChange): WorkspaceSettings & JsonObject {
  const merged = {
    weight: changes.weight ?? before.weight,
    runningMax: changes.runningMax ?? before.runningMax,
    fileBytesMax: changes.fileBytesMax ?? before.fileBytesMax,
    storedBytesMax: changes.storedBytesMax ?? before.storedBytesMax,
    retention: { ...before.retention, ...changes.retention },
  };
  const { retention, ...others } = merged;
  const numbers = { ...others, ...retention };
  for (const [name, value] of Object.entries(numbers)) {
    if (name === 'weight' ? value >= WEIGHT_LEAST && value <= WEIGHT_MOST : value > 0 && Number.isSafeInteger(value)) continue;
    throw new Fault('invalid_argument', `Cannot set ${name} to ${value}: it is not a positive number within bounds`, {
      details: { field: name },
    });
  }
  return merged;
}

/** Settings that were added since the row was written have their defaults. */
function toRecord(row: WorkspaceRow): WorkspaceRecord {
  return { id: row.id, createdAt: row.createdAt, settings: mergeSettings(SETTINGS_DEFAULT, row.settings as SettingsChange) }; // We wrote it.
}

function require(row: WorkspaceRow | undefined, id: WorkspaceId): WorkspaceRow {
  if (row === undefined) throw new Fault('not_found', `Cannot use workspace "${id}": it does not exist`, { details: { workspace: id } });
  return row;
}
