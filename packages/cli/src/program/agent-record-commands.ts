/** `warren agent create …`: agents as they are kept. */
import { type Command, Option } from 'commander';
import { CLIENTS, type ClientName } from '../commands/connections.ts';
import { parseDuration } from '../internal/duration.ts';
import { collect, type GrantFlags, withGrants } from './grant-options.ts';
import { type WorkspaceFlags, withJson, withWorkspace } from './state-options.ts';

/** `expires`: milliseconds. */
export type AgentTokenFlags = WorkspaceFlags & { readonly expires?: number };
export type AgentCreateFlags = AgentTokenFlags & GrantFlags & { readonly purpose?: string };
export type AgentUpdateFlags = WorkspaceFlags & Omit<GrantFlags, 'subAgents'> & { readonly purpose?: string; readonly subAgents?: boolean };
export type AgentConnectFlags = WorkspaceFlags & { readonly client?: ClientName; readonly url?: string };

export interface AgentRecordActions {
  agentCreate(name: string, flags: AgentCreateFlags): Promise<void>;
  agentShow(name: string, flags: WorkspaceFlags): Promise<void>;
  agentUpdate(name: string, flags: AgentUpdateFlags): Promise<void>;
  agentRotateToken(name: string, flags: AgentTokenFlags): Promise<void>;
  agentRevoke(name: string, flags: WorkspaceFlags): Promise<void>;
  agentRestore(name: string, flags: AgentTokenFlags): Promise<void>;
  agentDelete(name: string, flags: WorkspaceFlags): Promise<void>;
  agentConnect(name: string, flags: AgentConnectFlags): Promise<void>;
}

const EXPIRES = '--expires <duration>';
const readExpires = (text: string): number => parseDuration(text, '--expires');

export function addAgentRecord(agent: Command, actions: AgentRecordActions): void {
  const named = (name: string, summary: string, description: string): Command =>
    withJson(withWorkspace(agent.command(name).summary(summary).description(description).argument('<name>', 'the name of the agent')));

  withGrants(
    named(
      'create',
      'make an agent, and a token for it',
      'Makes an agent. What it is not granted here it cannot do, whatever policy says; without --tool it may call every capability, without --path all of /workspace is its own. A process begins when somebody acts as it. Prints its token, once.',
    ).option('--purpose <text>', 'what it is for, in words for people'),
  )
    .option(EXPIRES, 'how long its token works: 30d, 12h (default: until it is revoked)', readExpires)
    .action((name: string, flags: AgentCreateFlags) => actions.agentCreate(name, flags));

  named(
    'show',
    'show an agent',
    'Shows what an agent is given, whether it acts, and where its process has something else than it would be given now.',
  ).action((name: string, flags: WorkspaceFlags) => actions.agentShow(name, flags));

  named(
    'update',
    'change what an agent is given',
    'Changes what the processes of an agent are given from now on; a process that runs keeps what it has. What is not named stays.',
  )
    .option('--purpose <text>', 'what it is for, in words for people')
    .option('--tool <pattern>', 'capabilities it may call, instead of those before; repeatable', collect)
    .option('--path <path[:r|rw]>', 'directories of its workspace, instead of those before; repeatable', collect)
    .option('--host <pattern>', 'hosts it may reach, instead of those before; repeatable', collect)
    .option('--model <pattern>', 'models it may use, instead of those before; repeatable', collect)
    .option('--sub-agents', 'it may start agents of its own, with less')
    .option('--no-sub-agents', 'it may not')
    .option('--budget <dimension=amount>', 'what it may use, instead of what was before; repeatable', collect)
    .action((name: string, flags: AgentUpdateFlags) => actions.agentUpdate(name, flags));

  named(
    'rotate-token',
    'make a new token, and those before worthless',
    'Makes a new token for an agent and every one before it worthless, at once. Prints the new one, once.',
  )
    .option(EXPIRES, 'how long it works (default: until it is revoked)', readExpires)
    .action((name: string, flags: AgentTokenFlags) => actions.agentRotateToken(name, flags));

  named(
    'revoke',
    'make its tokens worthless and end it',
    'Makes every token of an agent worthless and ends its processes. What it kept stays, for when it is restored.',
  ).action((name: string, flags: WorkspaceFlags) => actions.agentRevoke(name, flags));

  named(
    'restore',
    'take back that an agent was revoked',
    'Lets an agent that was revoked act again, with a new token, which is printed, once.',
  )
    .option(EXPIRES, 'how long it works (default: until it is revoked)', readExpires)
    .action((name: string, flags: AgentTokenFlags) => actions.agentRestore(name, flags));

  named('delete', 'delete an agent', 'Deletes an agent and its tokens, and ends its processes. What it did stays in the records.').action(
    (name: string, flags: WorkspaceFlags) => actions.agentDelete(name, flags),
  );

  named(
    'connect',
    'print how a program connects as an agent',
    'Prints the configuration with which a program that speaks MCP acts as the agent: over standard input and output of `warren mcp`, which needs no token, or with --url over HTTP.',
  )
    .addOption(new Option('--client <program>', 'which program').choices(CLIENTS).default('any'))
    .option('--url <url>', 'the address of a daemon: http://127.0.0.1:7700')
    .action((name: string, flags: AgentConnectFlags) => actions.agentConnect(name, flags));
}
