import type { HandlersOf } from './handler.ts';
import { toName } from './record/name.ts';

export const REGISTRY_HANDLERS: HandlersOf<'kernel.registry.'> = {
  async 'kernel.registry.register'({ name, pid, tags, metadata }, { mine }) {
    await mine.names.register(name, pid, { tags, metadata });
    return { name, pid };
  },

  async 'kernel.registry.unregister'({ name, pid }, { mine }) {
    return { name, removed: (await mine.names.unregister(name, pid)) ? 1 : 0 };
  },

  async 'kernel.registry.unregister_pid'({ pid }, { mine }) {
    return { pid, removed: await mine.names.unregisterAll(pid) };
  },

  async 'kernel.registry.lookup'({ name }, { mine }) {
    return toName(await mine.names.lookup(name));
  },

  async 'kernel.registry.list'({ prefix, tag, limit, offset }, { mine }) {
    const { entries, total } = await mine.names.list({ prefix, tag }, { limit, offset });
    return { entries: entries.map(toName), total };
  },
};
