/** Walls as a library, useful alone: start reading at `Sandboxes` in contract.ts. */

export { diagnose, type WallReport } from './backends/namespace/diagnose.ts';
export { findLauncher, type OpenOptions, openSandboxes } from './backends/namespace/open-sandboxes.ts';
export { PROFILES, type Profile } from './backends/namespace/profiles.ts';
export type {
  Capabilities,
  Completed,
  Entry,
  ExecLimits,
  ExecOptions,
  Execution,
  Exit,
  FileOptions,
  Gone,
  HostMount,
  LimitName,
  Limits,
  ProfileName,
  ReadOptions,
  ResolvedSpec,
  RunOptions,
  Sandbox,
  Sandboxes,
  SandboxSpec,
  SandboxStats,
  SignalName,
  TerminalSize,
  Usage,
  WorkspaceMount,
  WriteOptions,
} from './contract.ts';
export { SIGNALS } from './signals.ts';
