/** `warren mcp`: what programs that speak the Model Context Protocol start. */
import type { Command } from 'commander';
import { type WorkspaceFlags, withState, withWorkspaceName } from './state-options.ts';

export type McpFlags = WorkspaceFlags & { readonly agent: string };

export interface McpActions {
  mcp(flags: McpFlags): Promise<void>;
}

export function addMcp(program: Command, actions: McpActions): void {
  const mcp = program
    .command('mcp')
    .summary('be the MCP server of an agent, on standard input and output')
    .description(
      'Speaks the Model Context Protocol on standard input and output, as an agent: its capabilities are the tools. For programs that start servers; it passes messages to the daemon and back, and finds a daemon that was started anew.',
    )
    .addHelpText('after', HELP);
  withWorkspaceName(withState(mcp))
    .requiredOption('--agent <name>', 'the agent that acts: its newest process, which begins when there is none')
    .action((flags: McpFlags) => actions.mcp(flags));
}

const HELP = `
Standard output has messages of the protocol and nothing else; what a person should know is on standard error.

Exit codes: 0 the input has ended, 1 no daemon or no such agent (the reason is printed), 2 used wrongly, 130 and 143 interrupted.

Examples:
  $ warren agent create builder --path /workspace:rw --tool 'filesystem.*'
  $ claude mcp add warren -- warren mcp --agent builder
  $ codex mcp add warren -- warren mcp --agent builder`;
