/** What Warren's agents and tenants have, above the kernel and the walls. */

export { type MadeCertificate, makeCertificate } from '@warren/sandbox/certificate';
export { MessageStream } from '@warren/sandbox/egress';
export type { AgentSandbox, AgentSandboxes } from './agent/agent-sandboxes.ts';
export type { Agents, ListedAgent, StartAgent } from './agent/agents.ts';
export { labelsKeptIn } from './agent/labelled-workspace.ts';
export { noteOfflineAction, type OfflineActionName } from './audit/offline-actions.ts';
export { type PlacedFiles, placeStateFiles, readStateFiles, type StateFiles } from './backup/state-files.ts';
export type { Definition, ErrorDefinition, Example, Field, FieldType, Problem } from './capability/definition.ts';
export { describeCapability, toolDescription } from './capability/describe-capability.ts';
export {
  CapabilityError,
  type Handler,
  type HandlerContext,
  type HandlerParts,
  type HandlerResult,
  type Handlers,
} from './capability/handler.ts';
export { lintDefinitions } from './capability/lint-definitions.ts';
export { problemText } from './capability/problem-text.ts';
export type { Registry, Reloaded } from './capability/registry.ts';
export { shippedDefinitions } from './capability/shipped-definitions.ts';
export { testCapability } from './capability/test-capability.ts';
export { capabilityName, TOOL_NAME_LENGTH_MAX, toolName } from './capability/tool-name.ts';
export type { Config } from './config/config-format.ts';
export type { ConfigReload } from './config/live-config.ts';
export type { OidcProviderConfig } from './config/sign-in-config.ts';
export type { PlacedSecret } from './egress/place-secrets.ts';
export type { RunNetwork, RunNetworkRequest, RunNetworks } from './egress/run-networks.ts';
export type { FileHook } from './hook/hook-file-format.ts';
export { HOOK_POINTS, type HookPoint } from './hook/hook-points.ts';
export type { HookHandler, HookName, HookOptions, HookPayloads, Hooks, ToolCallVerdict } from './hook/hooks.ts';
export type { HookTrial, LiveHooks } from './hook/open-hooks.ts';
export { readPlainFile } from './internal/read-plain-file.ts';
export { createPlatform } from './library/create-platform.ts';
export { createRuntime, type EmbeddedRuntime, type RuntimeConfig } from './library/create-runtime.ts';
export type {
  EmbeddedPlatform,
  EmbeddedPlatformConfig,
  EmbeddedWorkspace,
  MemorySearchResult,
  RunEvent,
  RunOptions,
  RunResult,
  SkillEntry,
  SkillRegistry,
  WorkspaceConfig,
  WorkspaceCredentials,
  WorkspaceMemory,
  WorkspaceSkills,
} from './library/embedded-platform.ts';
export type { McpServerDetails, McpServerSummary, McpServers, McpToolView } from './mcp/mcp-servers.ts';
export type { Embedder, EmbeddingUse } from './memory/embedder.ts';
export { createEmbedder, type EmbedderOptions } from './memory/embedding/create-embedder.ts';
export type { EmbeddingProvider } from './memory/embedding/embedding-wire.ts';
export type { Found, Memory, MemoryEntry, MemoryFilter, NewMemory, Ranking, SearchOptions, Stored } from './memory/memory.ts';
export type { Memories } from './memory/open-memories.ts';
export { type MemoryParts, openMemory } from './memory/open-memory.ts';
export { answerText, complete } from './model/complete.ts';
export { type ContextFill, contextFill } from './model/context-window.ts';
export { type Environment, environmentKeys } from './model/environment-keys.ts';
export { tokensOfRequest } from './model/estimate-tokens.ts';
export type {
  AssistantContent,
  AssistantMessage,
  FinishReason,
  ImageContent,
  MalformedCallContent,
  Model,
  ModelCost,
  ModelFinish,
  ModelMessage,
  ModelPart,
  ModelProvider,
  ModelRequest,
  ModelTool,
  ModelUsage,
  ReasoningContent,
  ReasoningEffort,
  TextContent,
  ToolCallContent,
  ToolMessage,
  ToolResultContent,
  UserMessage,
} from './model/model.ts';
export { failureReasonOf, MODEL_FAILURES, type ModelFailureReason, modelFault } from './model/model-failure.ts';
export { type KnownModel, type Models, type ModelsParts, openModels } from './model/open-models.ts';
export type { ModelFetch, ModelLimits } from './model/provider/bounded-fetch.ts';
export { createProvider, type ProviderOptions } from './model/provider/create-provider.ts';
export { PROVIDERS, type ProviderName } from './model/provider/providers.ts';
export { parseScript, readScript } from './model/scripted/read-script.ts';
export { type ScriptedModelOptions, scriptedModel, scriptedProvider } from './model/scripted/scripted-model.ts';
export type { Script, ScriptedCall, ScriptedTurn } from './model/scripted/scripted-turn.ts';
export { withFallbacks } from './model/with-fallbacks.ts';
export { type RetryOptions, withRetries } from './model/with-retries.ts';
export type { Notifier, TargetStatus } from './notify/open-notifier.ts';
export { tellStanding } from './notify/standing-alert.ts';
export { openPlatform, type PlatformOptions } from './open-platform.ts';
export type { InstalledPack, PackSource, Packs } from './pack/packs.ts';
export { openPacks } from './pack/packs.ts';
export { checkPackName, PACK_LANGUAGES, type PackLanguage, scaffoldPack } from './pack/scaffold-pack.ts';
export type { Platform, PolicyQuestion } from './platform.ts';
export { createDescriber } from './policy/create-describer.ts';
export { diffPolicies, type PolicyChange } from './policy/diff-policies.ts';
export { type ImportedPolicy, importPolicy } from './policy/import-policy.ts';
export type { Policies, PoliciesStatus } from './policy/open-policies.ts';
export { overruledIn } from './policy/overruled-in.ts';
export {
  type ParsedPolicies,
  type PolicyText,
  type PolicyTexts,
  parsePolicies,
  readPolicyText,
  readPolicyTexts,
} from './policy/parse-policies.ts';
export { placeOf } from './policy/policy-places.ts';
export { toCondition } from './policy/read-policy.ts';
export { type FileProblem, POLICY_BYTES_MAX } from './policy/read-yaml.ts';
export { type PolicyTestResult, testPolicies } from './policy/run-policy-tests.ts';
export { sayProblem } from './policy/say-problem.ts';
export type { Simulated, SimulatedChange } from './policy/simulate-policy.ts';
export { TEMPLATES, templateText } from './policy/templates.ts';
export type { WorkspaceSessions } from './session/open-workspace-sessions.ts';
export type { EntryBody, Session, SessionEntry, SessionInfo, SessionMatch, Sessions } from './session/sessions.ts';
export { textOf as sessionText } from './session/text-of.ts';
export { checkNewSkillName, type SkillLanguage, scaffoldSkill } from './skill/scaffold-skill.ts';
export {
  EXECUTABLE_NAMES,
  isSkillId,
  type Skill,
  type SkillManifest,
  type SkillRequest,
  type SkillRun,
  type SkillState,
  type Skills,
} from './skill/skill.ts';
export { type SkillTry, trySkill } from './skill/try-skill.ts';
export { createVault, type VaultParts } from './vault/create-vault.ts';
export { examineVault, type VaultExamination } from './vault/examine-vault.ts';
export { type ImportedEntry, readEarlierCredentials } from './vault/read-earlier-credentials.ts';
export type { CapabilityUse, SecretDetails, Secrets, SecretTerms, SecretType, SecretUse, SecretValue } from './vault/secrets.ts';
export type { KeySourceKind } from './vault/unlock-key.ts';
export type { Vault, VaultStatus } from './vault/vault.ts';
export { exportWorkspace } from './workspace/export-workspace.ts';
export { importWorkspace } from './workspace/import-workspace.ts';
export { type FileSecret, openStream, sealStream } from './workspace/sealed-stream.ts';
