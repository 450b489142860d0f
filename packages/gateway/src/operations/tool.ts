/** Capabilities as functions of models: what an agent is offered, in the format of a vendor, and the calls a model makes of it. */
import { capabilityName, type Platform } from '@warren/platform';
import { Fault } from '@warren/protocol';
import { mayActFor, type Seat, type Seats } from '../caller/seats.ts';
import { viaOf } from '../caller/via-of.ts';
import { CALL_RESULT, CALL_RESULT_TOOL, readCallResult } from '../tools/call-result-tool.ts';
import { exportTools } from '../tools/export-tools.ts';
import { readToolArguments, withoutAbsent } from '../tools/tool-arguments.ts';
import { toolOf } from '../tools/tool-of.ts';
import { progressTo } from './call-progress.ts';
import type { Call, HandlersOf } from './handler.ts';
import { toCallAnswer } from './record/call.ts';

export function createToolHandlers(platform: () => Platform, seats: () => Seats): HandlersOf<'tool.'> {
  /** Who may act as an agent begins its process by looking, too; who may only look begins nothing. */
  async function looking(call: Call, agent: string | undefined): Promise<Seat> {
    const { principal, workspace } = call;
    if (principal.kind === 'process' || principal.kind === 'agent' || (await mayActFor(principal))) return await acting(call, agent);
    return { workspace, pid: (await platform().agents.get(workspace, requireNamed(agent))).pid };
  }

  async function acting({ principal, workspace, caller }: Call, agent: string | undefined): Promise<Seat> {
    if (principal.kind === 'process' || principal.kind === 'agent') return await seats().find(caller, { workspace: undefined, agent });
    return await seats().find(caller, { workspace, agent: requireNamed(agent) });
  }

  return {
    async 'tool.list'({ format, agent, category }, call) {
      const { gate, capabilities } = platform();
      const { workspace, pid } = await looking(call, agent);
      const offers = (await gate.offered(workspace, pid))
        .filter(({ name }) => category === undefined || name.startsWith(`${category}.`))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1));
      const offered = offers.flatMap(({ name, tier }) => {
        const definition = capabilities.findDefinition(name);
        return definition === undefined ? [] : [{ capability: name, tool: toolOf(definition, tier) }];
      });
      const { tools, names, leftOut } = exportTools(format, [{ capability: undefined, tool: CALL_RESULT_TOOL }, ...offered]);
      return {
        ...{ format, tools, left_out: leftOut },
        names: names.map(({ name, capability = null }) => ({ name, capability })),
      };
    },

    async 'tool.call'({ name, arguments: given = {}, agent, ...how }, call) {
      const { gate, capabilities } = platform();
      const input = readToolArguments(given);
      const { workspace, pid } = await acting(call, agent);
      if (name === CALL_RESULT) {
        const { callId, waitMs } = readCallResult(withoutAbsent(CALL_RESULT_TOOL.inputSchema, input));
        return toCallAnswer(await gate.result(workspace, callId, { pid, waitMs }, waitMs > 0 ? call.waiting() : call.signal()));
      }
      const capability = capabilityName(name, () => capabilities.definitions().map((each) => each.name));
      const schema = capabilities.findDefinition(capability)?.inputSchema;
      const request = {
        ...{ pid, capability, input: schema === undefined ? input : withoutAbsent(schema, input) },
        ...{ reasoning: how.reasoning, idempotencyKey: how.idempotency_key, deadlineMs: how.deadline_ms },
        ...{ onAsk: how.on_ask, waitMs: how.wait_ms, via: viaOf(call.caller) },
        onProgress: progressTo(call.caller, how.progress_token),
      };
      if (how.on_ask === 'wait') call.waiting(); // As with `call.make`.
      return toCallAnswer(await gate.call(workspace, request, call.signal()));
    },
  };
}

function requireNamed(agent: string | undefined): string {
  if (agent !== undefined && agent !== '') return agent;
  throw new Fault('invalid_argument', 'Cannot act for an agent: say which, in "agent"', { details: { field: 'agent' } });
}
