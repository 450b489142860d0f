/**
 * What every part of Warren and its peers share: faults, ids and the envelopes of calls; `./contract` has the operations. Runs anywhere;
 * imports nothing of ours, and nothing of others, so that it costs a start nothing.
 */
export { FAULTS, Fault, type FaultCode, type FaultDetails, type FaultOptions, isFault, type WallDetails } from './fault.ts';
export { formatDuration } from './format-duration.ts';
export { coversHosts, coversNames, type HostPattern, isDirectlyBelow, readHostPattern, splitPort } from './host-pattern.ts';
export {
  createId,
  createSandboxId,
  createTokenId,
  DEFAULT_WORKSPACE,
  parseSandboxId,
  parseWorkspaceId,
  type RandomSource,
  type SandboxId,
  type TokenId,
  WORKSPACE_ID_PATTERN,
  type WorkspaceId,
} from './ids.ts';
export { ipv6Groups } from './ipv6-groups.ts';
export { isLoopback } from './is-loopback.ts';
export type { JsonObject, JsonValue } from './json.ts';
export {
  errorOfFault,
  faultFromError,
  JSON_RPC_ERRORS,
  type JsonRpcError,
  type JsonRpcFailure,
  type JsonRpcId,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type JsonRpcSuccess,
} from './json-rpc.ts';
export { hasRole, MEMBER_ROLES, type MemberRole } from './member-role.ts';
export { suggest } from './suggest.ts';
export { SUPERVISION_TYPES, type SupervisionData, type SupervisionEvent, type SupervisionType } from './supervision.ts';
