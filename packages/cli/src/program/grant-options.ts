/** Flags that say what an agent is given. */
import type { Command } from 'commander';

export type GrantFlags = {
  readonly tool?: readonly string[];
  readonly path?: readonly string[];
  readonly host?: readonly string[];
  readonly model?: readonly string[];
  readonly subAgents?: true;
  readonly budget?: readonly string[];
};

export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function withGrants(command: Command): Command {
  return command
    .option('--tool <pattern>', 'a capability it may call: filesystem.read, git.*, *; repeatable (default: *)', collect)
    .option('--path <path[:r|rw]>', 'a directory of its workspace; repeatable (default: /workspace:rw)', collect)
    .option('--host <pattern>', 'a host it may reach: api.example.org, *.example.org:443; repeatable (default: none)', collect)
    .option('--model <pattern>', 'a model it may use; repeatable (default: none)', collect)
    .option('--sub-agents', 'it may start agents of its own, with less')
    .option('--budget <dimension=amount>', 'what it may use: tool_calls=1000, net_bytes=10000000; repeatable', collect);
}
