/** `warren agent connect`: what to put where, so that a program acts as an agent. */
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { lastingCommand } from '../internal/lasting-command.ts';
import { safeJson } from '../internal/safe-text.ts';
import { serverOf } from '../internal/server-link.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { AgentConnectFlags } from '../program/agent-record-commands.ts';
import { connectionFor, TOKEN_VARIABLE, type Wire } from './connections.ts';

/** `program`: how this one was started, for when nobody finds it by its name. */
export async function agentConnect(name: string, flags: AgentConnectFlags, host: Host, program: readonly string[]): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'connect an agent');
  await client.call('agent.get', { agent: name });
  const [command = '', ...words] = lastingCommand('warren', host.env['PATH'], program);
  const url = flags.url ?? serverOf(flags, host);
  const wire: Wire =
    url === undefined
      ? { kind: 'stdio', command, args: [...words, ...stdioArguments(name, flags, host)] }
      : { kind: 'http', url: new URL('/mcp', url).href, tokenVariable: TOKEN_VARIABLE };
  const connection = connectionFor(flags.client ?? 'any', wire);
  if (flags.json === true) {
    await host.stdout.write(`${safeJson({ agent: name, ...connection }, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`${connection.text.trimEnd()}\n`);
  await host.stderr.write(`warren: ${connection.where}\n`);
  if (wire.kind === 'http')
    await host.stderr.write(`  set ${TOKEN_VARIABLE} to a token: ${nextCommand(`agent rotate-token ${name}`, flags)}\n`);
  return 0;
}

/** Whoever starts it may not have our environment. */
function stdioArguments(name: string, { state, workspace }: AgentConnectFlags, host: Host): readonly string[] {
  const isElsewhere = state !== undefined || (host.env['WARREN_STATE'] ?? '') !== '';
  return [
    ...['mcp', '--agent', name],
    ...(workspace === 'default' || workspace === undefined ? [] : ['--workspace', workspace]),
    ...(isElsewhere ? ['--state', statePath(host, state)] : []),
  ];
}
