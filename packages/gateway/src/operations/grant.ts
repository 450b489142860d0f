import type { HandlersOf } from './handler.ts';
import { fromGrantParams, toGrant } from './record/grant.ts';

export const GRANT_HANDLERS: HandlersOf<'kernel.cap.' | 'grant.'> = {
  async 'kernel.cap.create'(params, { mine }) {
    const { grantId, pid } = await mine.grants.create(params.pid, fromGrantParams(params));
    return { cap_id: grantId, pid };
  },

  async 'kernel.cap.derive'(params, { mine }) {
    const { grantId, parentGrantId, pid } = await mine.grants.derive(params.parent_pid, params.child_pid, fromGrantParams(params));
    if (parentGrantId === undefined) throw new Error('A derived grant has no parent');
    return { cap_id: grantId, pid, parent_cap_id: parentGrantId };
  },

  async 'kernel.cap.get'({ pid }, { mine }) {
    return toGrant(await mine.grants.get(pid));
  },

  async 'kernel.cap.check_tool'({ pid, tool }, { mine }) {
    return { allowed: await mine.grants.checkTool(pid, tool) };
  },

  async 'kernel.cap.check_model'({ pid, model }, { mine }) {
    return { allowed: await mine.grants.checkModel(pid, model) };
  },

  async 'kernel.cap.check_net'({ pid, host, port }, { mine }) {
    return { allowed: await mine.grants.checkHost(pid, host, port) };
  },

  async 'kernel.cap.check_fs'({ pid, path, mode }, { mine }) {
    return { allowed: await mine.grants.checkPath(pid, path, mode) };
  },

  async 'grant.narrow'(params, { mine }) {
    const { record, narrowed } = await mine.grants.narrow(params.pid, fromGrantParams(params));
    return { grant: toGrant(record), narrowed };
  },

  async 'grant.revoke'({ pid }, { mine }) {
    return { revoked: (await mine.grants.revoke(pid)).revoked };
  },
};
