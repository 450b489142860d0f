/**
 * The sandboxes in which agents' files, commands and repositories are. Each process has one of its own, made when it is first needed and destroyed with the process, when it
 * was idle for a while, or when its path grants change. What is mounted is what the process was granted: of `/workspace` only the prefixes it holds, read-only
 * where it may only read. So a command finds the same limits as a capability. While a process is suspended, or its agent
 * paused, what runs in its sandbox is frozen.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { Sandbox } from '@warren/sandbox';
import type { BackgroundCommands } from './background-commands.ts';

export interface AgentSandboxes extends AsyncDisposable {
  /** The sandbox of a process. Held until disposed; what is held is not taken away for being idle. Faults: those of `Sandboxes.start`, `unknown_pid`, `conflict` (it is DEAD), `permission_denied` (it holds no path). */
  open(workspace: WorkspaceId, pid: number, signal?: AbortSignal): Promise<AgentSandbox>;
  /** Destroys it, if there is one. */
  close(workspace: WorkspaceId, pid: number): Promise<void>;
}

export type AgentSandbox = AsyncDisposable & {
  readonly sandbox: Sandbox;
  /** Commands that go on after the call that started them. */
  readonly background: BackgroundCommands;
};
