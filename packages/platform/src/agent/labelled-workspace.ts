/**
 * The workspace as a handler gets it for one call: what it reads for the process labels the process, and what it writes carries the labels of the call. So no
 * handler has to think of it. What Warren keeps for itself (`own`) labels nobody by being read: it reaches a process as mail, which does.
 */
import { type ActContext, mergeLabels, type StateScope, type WorkspaceKernel } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';

/** Where files and alerts keep theirs; nobody else writes there. */
const KEPT_AT = 'warren:labels';
const LABEL = /^[^\p{Cc}]{1,64}$/u;

type About = Pick<ActContext, 'actor' | 'callId' | 'taint'>;

export function labelledWorkspace(mine: WorkspaceKernel, { actor: { pid }, callId, taint }: About): WorkspaceKernel {
  const { state, mail, files, alerts, taints } = mine;
  /** Asked anew each time: other calls of the process may have read something meanwhile. */
  const carried = async (more?: readonly string[]) => mergeLabels(taint, await taints.of(pid), more);
  const given = async (labels: readonly string[] | undefined): Promise<void> => {
    if (labels !== undefined && labels.length > 0) await taints.add(pid, labels, callId);
  };
  const read = async (scope: StateScope, ...labels: readonly (readonly string[] | undefined)[]): Promise<void> => {
    if (scope.kind !== 'own') await given(mergeLabels(...labels));
  };
  return {
    ...mine,
    state: {
      ...state,
      async get(scope, key, options) {
        const entry = await state.get(scope, key, options);
        await read(scope, entry?.labels);
        return entry;
      },
      async set(scope, key, value, options = {}) {
        const was = await state.set(scope, key, value, { ...options, labels: await carried(options.labels) });
        await read(scope, was.previousLabels);
        return was;
      },
      async delete(scope, key, options) {
        const was = await state.delete(scope, key, options);
        await read(scope, was.previousLabels);
        return was;
      },
      async list(scope, options) {
        const page = await state.list(scope, options);
        await read(scope, ...page.entries.map(({ labels }) => labels));
        return page;
      },
      async history(scope, key, limit) {
        const versions = await state.history(scope, key, limit);
        await read(scope, ...versions.map(({ labels }) => labels));
        return versions;
      },
    },
    mail: {
      ...mail,
      send: async (sender, recipient, letter) => await mail.send(sender, recipient, { ...letter, labels: await carried(letter.labels) }),
      publish: async (sender, topic, letter) => await mail.publish(sender, topic, { ...letter, labels: await carried(letter.labels) }),
    },
    files: {
      ...files,
      write: async (writer, file, content, signal) =>
        await files.write(writer, { ...file, metadata: keep(file.metadata, await carried()) }, content, signal),
      async read(path, options) {
        const found = await files.read(path, options);
        await given(labelsKeptIn(found.stat.metadata));
        return found;
      },
      async open(path, options) {
        const body = await files.open(path, options);
        await given(labelsKeptIn(body.stat.metadata));
        return body;
      },
    },
    alerts: {
      ...alerts,
      send: async (alert) => await alerts.send({ ...alert, context: keep(alert.context, await carried()) }),
      async list(filter, page) {
        const found = await alerts.list(filter, page);
        await given(mergeLabels(...found.alerts.map(({ context }) => labelsKeptIn(context))));
        return found;
      },
    },
  };
}

function keep(object: JsonObject = {}, labels: readonly string[] | undefined): JsonObject {
  const { [KEPT_AT]: _, ...rest } = object;
  return labels === undefined ? rest : { ...rest, [KEPT_AT]: [...labels] };
}

/** The labels of a file, in its metadata, or of an alert, in its context. */
export function labelsKeptIn({ [KEPT_AT]: kept }: JsonObject): readonly string[] | undefined {
  return Array.isArray(kept)
    ? kept.filter((label: JsonValue): label is string => typeof label === 'string' && LABEL.test(label))
    : undefined;
}
