import type { HandlersOf } from './handler.ts';
import { toProcess } from './record/process.ts';

export const AGENT_HANDLERS: HandlersOf<'kernel.agent.'> = {
  async 'kernel.agent.create'({ name, template, parent_pid, metadata, agent, on_parent_end }, { mine }) {
    const { pid } = await mine.processes.create({ name, template, parentPid: parent_pid, metadata, agent, onParentEnd: on_parent_end });
    return { pid, state: 'READY' };
  },

  async 'kernel.agent.get'({ pid }, { mine }) {
    return toProcess(await mine.processes.get(pid));
  },

  async 'kernel.agent.list'({ state, parent_pid, agent, limit, offset }, { mine }) {
    const { processes, total } = await mine.processes.list({ state, parentPid: parent_pid, agent }, { limit, offset });
    return { agents: processes.map(toProcess), total };
  },

  async 'kernel.agent.transition'({ pid, target_state, reason, expected_state }, { mine }) {
    const moved = await mine.processes.transition(pid, target_state, { reason, expected: expected_state });
    return { pid, prev_state: moved.prevState, state: moved.state, event_id: moved.eventId };
  },

  async 'kernel.agent.terminate'({ pid, exit_kind, exit_detail }, { mine }) {
    const { prevState, eventId } = await mine.processes.end(pid, exit_kind, exit_detail);
    return { pid, prev_state: prevState, state: 'DEAD', event_id: eventId };
  },
};
