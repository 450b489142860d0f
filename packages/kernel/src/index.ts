/** Warren's control plane. `openKernel` is the beginning; everything else hangs off it. */
export type { Kernel, WorkspaceKernel } from './kernel.ts';
export { type KernelOptions, openKernel } from './open-kernel.ts';
