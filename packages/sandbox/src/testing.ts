/** For tests of the walls themselves: sandboxes with walls left out, to show that something notices. Not part of the library's surface. */
export { openWeakenedSandboxes } from './backends/namespace/open-sandboxes.ts';
export { REMOVABLE_WALLS, type RemovableWall } from './backends/namespace/plan.ts';
