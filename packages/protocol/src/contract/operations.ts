/** Every operation there is, by name. A new noun is a file and a line here. */

import type { z } from 'zod';
import { AGENT_OPERATIONS } from './kernel/agent.ts';
import { API_OPERATIONS } from './kernel/api.ts';
import { CAP_OPERATIONS } from './kernel/cap.ts';
import { EVENTS_OPERATIONS } from './kernel/events.ts';
import { FS_OPERATIONS } from './kernel/fs.ts';
import { LEDGER_OPERATIONS } from './kernel/ledger.ts';
import { MBOX_OPERATIONS } from './kernel/mbox.ts';
import { OBSERVE_OPERATIONS } from './kernel/observe.ts';
import { REGISTRY_OPERATIONS } from './kernel/registry.ts';
import { SCHED_OPERATIONS } from './kernel/sched.ts';
import { AGENT_RUN_OPERATIONS } from './warren/agent.ts';
import { AGENT_RECORD_OPERATIONS } from './warren/agent-record.ts';
import { ALERT_OPERATIONS } from './warren/alert.ts';
import { APPROVAL_OPERATIONS } from './warren/approval.ts';
import { AUDIT_OPERATIONS } from './warren/audit.ts';
import { CALL_OPERATIONS } from './warren/call.ts';
import { CAPABILITY_OPERATIONS } from './warren/capability.ts';
import { DAEMON_OPERATIONS } from './warren/daemon.ts';
import { EVENT_OPERATIONS } from './warren/event.ts';
import { FILE_OPERATIONS } from './warren/file.ts';
import { GRANT_OPERATIONS } from './warren/grant.ts';
import { HOOK_OPERATIONS } from './warren/hook.ts';
import { LEDGER_ACCOUNT_OPERATIONS } from './warren/ledger.ts';
import { MAIL_OPERATIONS } from './warren/mail.ts';
import { MCP_SERVER_OPERATIONS } from './warren/mcp-server.ts';
import { MEMORY_OPERATIONS } from './warren/memory.ts';
import { PERSON_OPERATIONS } from './warren/person.ts';
import { POLICY_OPERATIONS } from './warren/policy.ts';
import { PROCESS_OPERATIONS } from './warren/process.ts';
import { QUEUE_OPERATIONS } from './warren/queue.ts';
import { SECRET_OPERATIONS } from './warren/secret.ts';
import { SKILL_OPERATIONS } from './warren/skill.ts';
import { TAINT_OPERATIONS } from './warren/taint.ts';
import { TOKEN_OPERATIONS } from './warren/token.ts';
import { TOOL_OPERATIONS } from './warren/tool.ts';
import { TRANSCRIPT_OPERATIONS } from './warren/transcript.ts';
import { VAULT_OPERATIONS } from './warren/vault.ts';
import { WORKSPACE_OPERATIONS } from './warren/workspace.ts';

export const OPERATIONS = Object.freeze({
  ...AGENT_OPERATIONS,
  ...EVENTS_OPERATIONS,
  ...CAP_OPERATIONS,
  ...LEDGER_OPERATIONS,
  ...SCHED_OPERATIONS,
  ...MBOX_OPERATIONS,
  ...REGISTRY_OPERATIONS,
  ...FS_OPERATIONS,
  ...OBSERVE_OPERATIONS,
  ...API_OPERATIONS,
  ...PROCESS_OPERATIONS,
  ...EVENT_OPERATIONS,
  ...GRANT_OPERATIONS,
  ...LEDGER_ACCOUNT_OPERATIONS,
  ...QUEUE_OPERATIONS,
  ...MAIL_OPERATIONS,
  ...FILE_OPERATIONS,
  ...WORKSPACE_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...PERSON_OPERATIONS,
  ...CALL_OPERATIONS,
  ...CAPABILITY_OPERATIONS,
  ...TOOL_OPERATIONS,
  ...MCP_SERVER_OPERATIONS,
  ...APPROVAL_OPERATIONS,
  ...POLICY_OPERATIONS,
  ...AUDIT_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...MEMORY_OPERATIONS,
  ...HOOK_OPERATIONS,
  ...SKILL_OPERATIONS,
  ...TRANSCRIPT_OPERATIONS,
  ...SECRET_OPERATIONS,
  ...VAULT_OPERATIONS,
  ...TAINT_OPERATIONS,
  ...AGENT_RUN_OPERATIONS,
  ...AGENT_RECORD_OPERATIONS,
  ...DAEMON_OPERATIONS,
});

export type OperationName = keyof typeof OPERATIONS;

/** What a client may send. */
export type ParamsInput<Name extends OperationName> = z.input<(typeof OPERATIONS)[Name]['params']>;

/** What a handler gets: parsed, with defaults. */
export type Params<Name extends OperationName> = z.output<(typeof OPERATIONS)[Name]['params']>;

export type Result<Name extends OperationName> = z.output<(typeof OPERATIONS)[Name]['result']>;

/** Whether there is an operation of this name. Words that every object knows, as `toString`, are none. */
export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}
