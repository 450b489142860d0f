/** Apart from sandboxes.ts, so that a run does not load how to examine a machine. */
export { diagnose } from '@warren/sandbox';
