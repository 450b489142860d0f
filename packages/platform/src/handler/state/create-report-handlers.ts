/** `state.snapshot.*` and `state.briefing.generate`: reports. A snapshot is kept as it was made, in the workspace's own files, and restores nothing. */
import type { WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import { readDateTime } from '../../capability/read-text.ts';
import type { AgentParts } from '../agent/agent-parts.ts';
import { createBriefing } from '../agent/briefing.ts';
import { agentsOf } from '../comms/agents-of.ts';
import { isoOf } from '../internal/iso-time.ts';
import { asIoError, newestFirst } from './kept-files.ts';

const KEPT_MAX = 100;
/** Several that are made at once may be more for a moment. */
const LISTED_MAX = 1_000;

export function createReportHandlers(parts: AgentParts): Handlers {
  return {
    'state.snapshot.create': async (_, context) => {
      const { mine } = context;
      const id = parts.newId();
      const text = JSON.stringify(await describe(parts, context));
      const stat = await asIoError(mine.files.write(context.actor.pid, { path: pathOf(context, id), mode: 'ro' }, Buffer.from(text)));
      await forgetOldest(mine, folderOf(context));
      return { output: { snapshot_id: id, timestamp: isoOf(stat.createdAt), size_bytes: stat.size } };
    },

    'state.snapshot.list': async (_, context) => {
      const { files } = await context.mine.files.list({ prefix: folderOf(context) }, { limit: LISTED_MAX });
      const snapshots = newestFirst(files).map(({ path, createdAt, size }) => ({
        snapshot_id: path.slice(path.lastIndexOf('/') + 1),
        timestamp: isoOf(createdAt),
        size_bytes: size,
      }));
      return { output: { snapshots, total: snapshots.length } };
    },

    'state.snapshot.load': async ({ snapshot_id: id }, context) => {
      if (!/^[a-z0-9_]{1,64}$/.test(String(id))) throw new CapabilityError('SnapshotNotFound', 'Cannot load: there is no such snapshot');
      try {
        const { content } = await context.mine.files.read(pathOf(context, String(id)));
        return { output: { snapshot: JSON.parse(Buffer.from(content).toString('utf8')) as JsonObject } }; // `state.snapshot.create` wrote it.
      } catch (error) {
        if (isFault(error, 'file_not_found'))
          throw new CapabilityError('SnapshotNotFound', 'Cannot load: there is no such snapshot', { cause: error });
        throw error;
      }
    },

    'state.briefing.generate': async ({ since, detail_level: level }, context) => {
      const process = await context.mine.processes.find(context.actor.pid);
      const from = typeof since === 'string' && since !== '' ? readTime(since) : (process?.createdAt ?? 0);
      if (!(from <= parts.now()))
        throw new CapabilityError('InvalidTimestamp', `Cannot brief since ${JSON.stringify(since)}: it is no time that is past`, {
          context: { field: 'since' },
        });
      return { output: { briefing: await createBriefing(parts, context, from, level === 'detailed') } };
    },
  };
}

async function describe(parts: AgentParts, { mine, actor }: HandlerContext): Promise<JsonObject> {
  const agents = await agentsOf(mine);
  const summary = await mine.observe.summary();
  const whose = actor.agent === '' ? { pid: actor.pid } : { agent: actor.agent };
  const { approvals } = await mine.approvals.list({ state: 'pending', ...whose }, { limit: 100 });
  // Alerts are listed by agent; what belongs to none is not all this process's.
  const { alerts } =
    actor.agent === '' ? { alerts: [] } : await mine.alerts.list({ status: 'pending', agent: actor.agent }, { limit: 100 });
  const state = actor.agent === '' ? undefined : await mine.state.quota({ kind: 'agent', agent: actor.agent });
  return {
    agents: agents.map(({ name, process }) => ({ name, state: process?.state ?? 'DEAD' })),
    resources: { processes: { ...summary.processes }, events: summary.events.count },
    approvals: approvals.map(({ id, capability, createdAt }) => ({ request_id: id, capability, created_at: isoOf(createdAt) })),
    alerts: alerts.map(({ id, message, severity }) => ({ alert_id: id, message, severity })),
    health: await parts.health(),
    state: state === undefined ? {} : { used_bytes: state.usedBytes, limit_bytes: state.limitBytes, keys: state.keys },
  };
}

async function forgetOldest(mine: WorkspaceKernel, folder: string): Promise<void> {
  const { files } = await mine.files.list({ prefix: folder }, { limit: LISTED_MAX });
  for (const { path } of newestFirst(files).slice(KEPT_MAX)) await mine.files.delete(path);
}

/** NaN: it is none. */
function readTime(text: string): number {
  const read = readDateTime(text);
  return typeof read === 'string' ? Date.parse(read) : Number.NaN;
}

function folderOf({ actor }: HandlerContext): string {
  const { agent, pid } = actor;
  // A dot alone would be a name of its own kind to whoever reads paths.
  return `/checkpoint/snapshots/${agent === '' ? `process/${pid}` : `agent/${encodeURIComponent(agent).replaceAll('.', '%2E')}`}/`;
}

function pathOf(context: HandlerContext, id: string): string {
  return `${folderOf(context)}${id}`;
}
