import type { AgentSandboxes } from '../../agent/agent-sandboxes.ts';
import type { Workers } from '../internal/workers.ts';
import type { Watches } from './watches.ts';

/** What the capabilities of files need once. */
export type FilesystemParts = {
  readonly sandboxes: AgentSandboxes;
  readonly workers: Workers;
  readonly watches: Watches;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};
