/** What every part of Warren and its peers share: faults and ids, later operations and events. Runs anywhere; imports nothing of ours. */
export { FAULTS, Fault, type FaultCode, type FaultDetails, type FaultOptions, isFault, type WallDetails } from './fault.ts';
export { createSandboxId, parseSandboxId, type RandomSource, type SandboxId } from './ids.ts';
