import type { SettingsChange, WorkspaceRecord } from '@warren/kernel';
import type { Params, WorkspaceRecord as Workspace } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toWorkspace({ id, createdAt, settings }: WorkspaceRecord): Workspace {
  const { weight, runningMax, fileBytesMax, storedBytesMax, retention } = settings;
  return {
    workspace: id,
    created_at: toSeconds(createdAt),
    settings: {
      weight,
      running_max: runningMax,
      file_bytes_max: fileBytesMax,
      stored_bytes_max: storedBytesMax,
      retention: {
        event_age_ms: retention.eventAgeMs,
        events_max: retention.eventsMax,
        finished_entry_age_ms: retention.finishedEntryAgeMs,
        finished_entries_max: retention.finishedEntriesMax,
        file_versions_max: retention.fileVersionsMax,
      },
    },
  };
}

type SettingParams = NonNullable<Params<'workspace.update'>['settings']>;

export function fromSettings({ weight, running_max, file_bytes_max, stored_bytes_max, retention }: SettingParams): SettingsChange {
  return {
    ...(weight !== undefined && { weight }),
    ...(running_max !== undefined && { runningMax: running_max }),
    ...(file_bytes_max !== undefined && { fileBytesMax: file_bytes_max }),
    ...(stored_bytes_max !== undefined && { storedBytesMax: stored_bytes_max }),
    ...(retention !== undefined && { retention: fromRetention(retention) }),
  };
}

function fromRetention(retention: NonNullable<SettingParams['retention']>): NonNullable<SettingsChange['retention']> {
  const { event_age_ms, events_max, finished_entry_age_ms, finished_entries_max, file_versions_max } = retention;
  return {
    ...(event_age_ms !== undefined && { eventAgeMs: event_age_ms }),
    ...(events_max !== undefined && { eventsMax: events_max }),
    ...(finished_entry_age_ms !== undefined && { finishedEntryAgeMs: finished_entry_age_ms }),
    ...(finished_entries_max !== undefined && { finishedEntriesMax: finished_entries_max }),
    ...(file_versions_max !== undefined && { fileVersionsMax: file_versions_max }),
  };
}
