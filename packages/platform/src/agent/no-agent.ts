/** Why there is no process to act as: nobody made the agent, it is idle, or it is revoked. Each has something else to do about it. */
import { Fault } from '@warren/protocol';

/** `action`: as in "Cannot pause agent". */
export function noSuchAgent(action: string, agent: string): Fault {
  const details = { agent: agent.slice(0, 80), fix: `warren agent create ${typed(agent)}` };
  return new Fault('not_found', `Cannot ${action} agent ${quoted(agent)}: there is no agent of this name`, { details });
}

export function isIdle(action: string, agent: string): Fault {
  const details = { agent: agent.slice(0, 80), idle: true, fix: `warren agent start ${typed(agent)}` };
  return new Fault('not_found', `Cannot ${action} agent ${quoted(agent)}: it is idle, and has no live process`, { details });
}

export function isRevoked(action: string, agent: string): Fault {
  return new Fault(
    'illegal_transition',
    `Cannot ${action} agent ${agent}: it is revoked; \`warren agent restore ${agent}\` takes that back`,
    {
      details: { agent },
    },
  );
}

function quoted(agent: string): string {
  return JSON.stringify(agent.slice(0, 80));
}

/** Nothing that a shell would take for something else. */
function typed(agent: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(agent) ? agent : 'NAME';
}
