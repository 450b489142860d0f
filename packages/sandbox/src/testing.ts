/** For tests of the walls themselves: sandboxes with walls left out, to show that something notices. Not part of the library's surface. */
export { openTestSandboxes, openWeakenedSandboxes, type TestingOptions } from './backends/namespace/open-sandboxes.ts';
export { REMOVABLE_WALLS, type RemovableWall } from './backends/namespace/plan.ts';
