import type { Kernel } from '@warren/kernel';
import type { HandlersOf } from './handler.ts';
import { toEvent } from './record/event.ts';

export function createEventHandlers(kernel: Kernel): HandlersOf<'kernel.events.' | 'kernel.info' | 'event.'> {
  return {
    async 'kernel.events.append'({ pid, kind, payload, causation_id, correlation_id }, { mine }) {
      return { event_id: await mine.events.append({ pid, kind, payload, causationId: causation_id, correlationId: correlation_id }) };
    },

    async 'kernel.events.tail'({ pid, kind, since_event_id, limit }, { mine }) {
      const { events, nextCursor } = await mine.events.tail({ pid, kind, since: since_event_id, limit });
      return { events: events.map(toEvent), next_cursor: nextCursor };
    },

    async 'kernel.info'(_params, { workspace }) {
      return await kernel.store.workspace(workspace).read(({ processes, events }) => {
        const { DEAD, ...live } = processes.countByState();
        return {
          schema_version: kernel.store.schemaVersion,
          next_pid: processes.nextPid(),
          next_event_id: events.nextId(),
          agent_count: Object.values(live).reduce((sum, count) => sum + count, DEAD),
          event_count: events.nextId() - events.firstId(),
          live_states: live,
        };
      });
    },

    async 'event.newest'({ pid, kind, limit }, { mine }) {
      return { events: (await mine.events.newest({ pid, kind, limit })).map(toEvent) };
    },

    async 'event.extent'(_params, { mine }) {
      const { firstId, nextId, count } = await mine.events.extent();
      return { first_event_id: firstId, next_event_id: nextId, count };
    },
  };
}
