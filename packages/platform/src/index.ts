/** What Warren's agents and tenants have, above the kernel and the walls. */

export type { AgentSandbox, AgentSandboxes } from './agent/agent-sandboxes.ts';
export type { Definition, ErrorDefinition, Example, Field, FieldType } from './capability/definition.ts';
export {
  CapabilityError,
  type Handler,
  type HandlerContext,
  type HandlerParts,
  type HandlerResult,
  type Handlers,
} from './capability/handler.ts';
