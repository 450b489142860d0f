/** `warren mcp-server`: servers of MCP that are mounted, and what was approved of them. */
import type { Command } from 'commander';
import { type StateFlags, withDaemon, withJson } from './state-options.ts';

export type McpServerApproveFlags = StateFlags & { readonly hash?: string; readonly read?: readonly string[] };

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export interface McpServerActions {
  mcpServerList(flags: StateFlags): Promise<void>;
  mcpServerShow(name: string, flags: StateFlags): Promise<void>;
  mcpServerReload(name: string | undefined, flags: StateFlags): Promise<void>;
  mcpServerLogin(name: string, flags: StateFlags): Promise<void>;
  mcpServerApprove(name: string, flags: McpServerApproveFlags): Promise<void>;
  mcpServerRemove(name: string, flags: StateFlags): Promise<void>;
}

export function addMcpServer(program: Command, actions: McpServerActions): void {
  const server = program
    .command('mcp-server')
    .summary('mount MCP servers of others as capabilities')
    .description(
      'Servers of the Model Context Protocol that mcp-servers.yaml in the state directory names. Their tools become capabilities mcp.<server>.<tool> when somebody has approved the list of them; a list that changes is blocked until it is approved again.',
    )
    .addHelpText('after', HELP);

  withJson(
    withDaemon(
      server.command('list').summary('list mounted servers').description('Lists mounted servers and whether their tools are approved.'),
    ),
  ).action((flags: StateFlags) => actions.mcpServerList(flags));

  withJson(
    withDaemon(
      server
        .command('show')
        .summary('show the tools of one, and what changed')
        .description('Shows the tools a server had when it was last looked at, and what is not as it was approved.')
        .argument('<name>', 'its name in mcp-servers.yaml'),
    ),
  ).action((name: string, flags: StateFlags) => actions.mcpServerShow(name, flags));

  withJson(
    withDaemon(
      server
        .command('reload')
        .summary('read mcp-servers.yaml again and ask servers for their tools')
        .description('Reads mcp-servers.yaml again, starts the named server or all, and asks for their tools.')
        .argument('[name]', 'its name in mcp-servers.yaml'),
    ),
  ).action((name: string | undefined, flags: StateFlags) => actions.mcpServerReload(name, flags));

  withJson(
    withDaemon(
      server
        .command('login')
        .summary('log in for one that wants a person')
        .description(
          'Prints an address to open in a browser on this machine, and waits until the browser comes back. For servers with `login` in mcp-servers.yaml; what they give stays with the daemon.',
        )
        .argument('<name>', 'its name in mcp-servers.yaml'),
    ),
  ).action((name: string, flags: StateFlags) => actions.mcpServerLogin(name, flags));

  withJson(
    withDaemon(
      server
        .command('approve')
        .summary('approve the tools of one')
        .description('Approves the list of tools that show prints, by its hash. Only this list is used from then on.')
        .argument('<name>', 'its name in mcp-servers.yaml'),
    ),
  )
    .requiredOption('--hash <hex>', 'of the list, as show prints it')
    .option('--read <tool>', 'a tool whose calls change nothing, by either of its names; repeatable', collect)
    .action((name: string, flags: McpServerApproveFlags) => actions.mcpServerApprove(name, flags));

  withJson(
    withDaemon(
      server
        .command('remove')
        .summary('take an approval back')
        .description('Takes back what was approved of a server: its tools are gone at once, and it is stopped.')
        .argument('<name>', 'its name in mcp-servers.yaml'),
    ),
  ).action((name: string, flags: StateFlags) => actions.mcpServerRemove(name, flags));
}

const HELP = `
Examples:
  $ warren mcp-server reload notes
  $ warren mcp-server approve notes --hash 3f… --read list_notes
  $ warren capability list --category mcp`;
