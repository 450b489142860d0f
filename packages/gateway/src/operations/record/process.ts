import type { ProcessRecord } from '@warren/kernel';
import type { AgentProcess } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';

export function toProcess(process: ProcessRecord): AgentProcess {
  return {
    pid: process.pid,
    parent_pid: process.parentPid ?? null,
    name: process.name,
    template: process.template,
    agent: process.agent ?? null,
    state: process.state,
    state_reason: process.stateReason ?? null,
    on_parent_end: process.onParentEnd,
    pending_signal: process.pendingSignal ?? null,
    created_at: toSeconds(process.createdAt),
    updated_at: toSeconds(process.updatedAt),
    started_at: toSecondsOrNull(process.startedAt),
    ended_at: toSecondsOrNull(process.endedAt),
    exit_kind: process.exitKind ?? null,
    exit_detail: process.exitDetail ?? null,
    metadata: process.metadata,
    last_event_id: process.lastEventId,
  };
}
