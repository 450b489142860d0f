/** What every part of Warren and its peers share: faults and ids; `./contract` has the operations. Runs anywhere; imports nothing of ours. */
export { FAULTS, Fault, type FaultCode, type FaultDetails, type FaultOptions, isFault, type WallDetails } from './fault.ts';
export {
  createSandboxId,
  DEFAULT_WORKSPACE,
  parseSandboxId,
  parseWorkspaceId,
  type RandomSource,
  type SandboxId,
  type WorkspaceId,
} from './ids.ts';
