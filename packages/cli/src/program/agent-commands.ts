/** `warren agent` and `warren call`: agents, and what they do. */
import type { Command } from 'commander';
import { parseDuration } from '../internal/duration.ts';
import { parseCount } from '../internal/number.ts';
import { type AgentRecordActions, addAgentRecord } from './agent-record-commands.ts';
import { collect, type GrantFlags, withGrants } from './grant-options.ts';
import { type WorkspaceFlags, withJson, withWorkspace } from './state-options.ts';

export type AgentStartFlags = WorkspaceFlags & GrantFlags;

export type CallFlags = WorkspaceFlags & {
  readonly as?: string;
  readonly pid?: number;
  readonly input?: string;
  readonly key?: string;
  readonly wait?: number | true;
  readonly timeout?: number;
  readonly reason?: string;
  readonly taint?: readonly string[];
};

export type CallResultFlags = WorkspaceFlags & { readonly pid?: number; readonly wait?: number };

export interface AgentActions extends AgentRecordActions {
  callResult(callId: string, flags: CallResultFlags): Promise<void>;
  agentStart(name: string, flags: AgentStartFlags): Promise<void>;
  agentList(flags: WorkspaceFlags): Promise<void>;
  agentStop(name: string, flags: WorkspaceFlags): Promise<void>;
  agentPause(name: string, flags: WorkspaceFlags): Promise<void>;
  agentResume(name: string, flags: WorkspaceFlags): Promise<void>;
  call(capability: string, words: readonly string[], flags: CallFlags): Promise<void>;
}

export function addAgent(program: Command, actions: AgentActions): void {
  const agent = program
    .command('agent')
    .summary('make, connect, list, pause and revoke agents')
    .description('An agent acts through capabilities, each call decided by policy and held to what the agent was granted.')
    .addHelpText('after', AGENT_HELP);

  addAgentRecord(agent, actions);

  withGrants(
    withJson(
      withWorkspace(
        agent
          .command('start')
          .summary('start a process for an agent')
          .description(
            'Starts a process for an agent, unless it runs: with what it was made with or, when anything is granted here, with that and nothing else. One that was not made is made with what is granted here. What it is not granted it cannot do, whatever policy says.',
          )
          .argument('<name>', 'the name of the agent'),
      ),
    ),
  ).action((name: string, flags: AgentStartFlags) => actions.agentStart(name, flags));

  withJson(
    withWorkspace(
      agent
        .command('list')
        .summary('list agents')
        .description('Lists agents that were made, and those that have a live process, with the newest of each.'),
    ),
  ).action((flags: WorkspaceFlags) => actions.agentList(flags));

  withJson(
    withWorkspace(
      agent
        .command('stop')
        .summary('end the processes of an agent')
        .description('Ends the processes of an agent, their commands and sandboxes. The next one begins when somebody acts as it.')
        .argument('<name>', 'the name of the agent'),
    ),
  ).action((name: string, flags: WorkspaceFlags) => actions.agentStop(name, flags));

  withJson(
    withWorkspace(
      agent
        .command('pause')
        .summary('stop an agent until it is resumed')
        .description(
          'Freezes what runs for all processes of an agent and refuses their calls, also those of processes to come and after a restart, until it is resumed.',
        )
        .argument('<name>', 'the name of the agent'),
    ),
  ).action((name: string, flags: WorkspaceFlags) => actions.agentPause(name, flags));

  withJson(
    withWorkspace(
      agent
        .command('resume')
        .summary('let an agent that was paused go on')
        .description('Lets an agent go on that was paused. A process that was suspended for another reason stays so.')
        .argument('<name>', 'the name of the agent'),
    ),
  ).action((name: string, flags: WorkspaceFlags) => actions.agentResume(name, flags));
}

export function addCall(program: Command, actions: AgentActions): void {
  const call = program.command('call');
  withJson(
    withWorkspace(
      call
        .summary('call a capability as an agent')
        .description(
          'Calls a capability as an agent: policy decides, grants and budgets hold, people are asked where they have to be, and all of it is recorded. Prints what the call answers, as JSON.',
        )
        .argument('<capability>', 'its name: `warren capability list`')
        .argument('[arguments...]', 'key=value for each argument; key:=JSON for one that is no text'),
    )
      .option('--as <agent>', 'the agent that calls: its newest process, which begins when there is none')
      .option('--pid <pid>', 'the process that calls, instead of --as', (text: string) => parseCount(text, '--pid'))
      .option('--input <json>', 'all arguments as one JSON object; - reads it, @FILE too')
      .option('--key <text>', 'the same key is the same call: it is carried out once')
      .option('--wait [duration]', 'where a person has to approve: wait for it, at most so long (default: an hour)', (text: string) =>
        parseDuration(text, '--wait'),
      )
      .option('--timeout <duration>', 'how long it may take to carry out', (text: string) => parseDuration(text, '--timeout'))
      .option('--reason <text>', 'why, for whoever is asked')
      .option('--taint <label>', 'what the arguments come from, as web; repeatable', collect)
      .addHelpText('after', CALL_HELP),
  ).action((capability: string, words: string[], flags: CallFlags) => actions.call(capability, words, flags));
  addCallResult(call, actions);
}

function addCallResult(call: Command, actions: AgentActions): void {
  withJson(
    withWorkspace(
      call
        .command('result')
        .summary('show what became of a call')
        .description('Shows what became of a call that had to be approved, or had a key: as `warren call` would have answered it.')
        .argument('<id>', 'the id of the call'),
    )
      .option('--pid <pid>', 'the process that called (default: the audit says)', (text: string) => parseCount(text, '--pid'))
      .option('--wait <duration>', 'wait for it, at most so long', (text: string) => parseDuration(text, '--wait')),
  ).action((id: string, flags: CallResultFlags) => actions.callResult(id, flags));
}

const AGENT_HELP = `
Examples:
  $ warren agent create builder --path /workspace:rw --tool 'filesystem.*' --tool process.run
  $ warren agent connect builder --client claude-code               what to type, so that Claude Code acts as it
  $ warren call filesystem.write path=hello.txt content=hello --as builder
  $ warren agent list`;

const CALL_HELP = `
Exit codes: 0 done, 1 not done (the error is printed), 2 used wrongly, 3 a person has to approve first.

Examples:
  $ warren call filesystem.read path=README.md --as builder
  $ warren call process.run command=npm args:='["test"]' --as builder
  $ warren call filesystem.delete path=old --as builder --wait      waits until somebody says yes
  $ warren call result call_… --wait 30s                            what became of it
  $ warren approvals watch                                          says yes, or no`;
