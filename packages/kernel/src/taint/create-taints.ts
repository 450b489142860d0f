import type { WorkspaceStore } from '../store/store.ts';
import { labelFiles, newPlaces } from './file-labels.ts';
import { checkLabels } from './labels.ts';
import { addLabels, labelsOf } from './process-labels.ts';
import type { Taints } from './taints.ts';

export function createTaints({ store }: { readonly store: WorkspaceStore }): Taints {
  return {
    of: (pid) => store.read((transaction) => labelsOf(transaction, pid)),

    async add(pid, labels, callId) {
      checkLabels(labels, 'labels');
      const isNew = await store.read(({ taints }) => labels.some((label) => !taints.of(pid).some((each) => each.label === label)));
      if (isNew) await store.write((transaction) => addLabels(transaction, pid, labels, { callId }));
    },

    async labelFiles(pid, labels) {
      checkLabels(labels, 'labels');
      const isNew = await store.read((transaction) => newPlaces(transaction, pid, labels).length > 0);
      if (isNew) await store.write((transaction) => labelFiles(transaction, pid, labels));
    },

    async files() {
      const rows = await store.read(({ taints }) => taints.ofFiles());
      return rows
        .map(({ prefix, label, since }) => ({ path: prefix, label, since }))
        .toSorted((one, other) => (one.path < other.path ? -1 : 1));
    },

    clearFiles: () =>
      store.write(({ taints, events }) => {
        const labels = [...new Set(taints.ofFiles().map(({ label }) => label))];
        if (labels.length > 0) events.append({ pid: undefined, kind: 'kernel.files.cleared', payload: { labels } });
        return taints.clearFiles();
      }),
  };
}
