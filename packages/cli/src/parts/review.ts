/** What the commands that review runs are built on: the run store in the state directory of the caller. Tests of commands hand in their own. */
import { type OpaqueProbe, openStateDirectory, probeOpaque, RunStore } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';
import type { OpenRecord, Records } from '../internal/records.ts';

export function openParts(host: Host): { readonly store: RunStore; readonly probe: OpaqueProbe } {
  return { store: RunStore.open({ stateDirectory: openStateDirectory({ environment: host.env }) }), probe: probeOpaque };
}

export function openRecords(host: Host): Records {
  const { store, probe } = openParts(host);
  return {
    async open(request): Promise<OpenRecord> {
      const held = await store.openRun(request);
      return {
        id: held.record.id,
        layer: held.paths.layer,
        async close(exit, { keep }) {
          const { id, layer } = await store.closeRun(held, { probe, ...(exit !== undefined && { exit }) });
          const changes = layer.changes ?? 0;
          if (changes === 0 && !keep) await store.removeRun(id);
          return { changes, isKept: changes > 0 || keep };
        },
      };
    },
  };
}
