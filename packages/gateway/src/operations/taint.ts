import type { Platform } from '@warren/platform';
import type { HandlersOf } from './handler.ts';
import { toSeconds } from './time.ts';

export function createTaintHandlers(platform: () => Platform): HandlersOf<'taint.'> {
  return {
    async 'taint.list'({ pid }, { workspace }) {
      const labels = await platform().taints(workspace, pid);
      return { labels: labels.map(({ label, since, callId = null }) => ({ label, since: toSeconds(since), call_id: callId })) };
    },

    async 'taint.list_files'(_, { mine }) {
      return { labels: (await mine.taints.files()).map(({ path, label, since }) => ({ path, label, since: toSeconds(since) })) };
    },

    async 'taint.clear_files'(_, { mine }) {
      return { cleared: await mine.taints.clearFiles() };
    },

    async 'taint.clear'({ pid }, { workspace }) {
      return { cleared: await platform().clearTaints(workspace, pid) };
    },
  };
}
