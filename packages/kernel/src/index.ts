/** Warren's control plane. `openKernel` is the beginning; everything else hangs off it. */
export type { Kernel, WorkspaceKernel } from './kernel.ts';
export { type KernelOptions, openKernel } from './open-kernel.ts';
export type { EventFilter, EventRecord } from './store/tables/event-table.ts';
export {
  EXIT_KINDS,
  type ExitKind,
  PARENT_END_POLICIES,
  type ParentEndPolicy,
  PROCESS_STATES,
  type ProcessSignal,
  type ProcessState,
  SIGNALS,
} from './store/tables/process-table.ts';
