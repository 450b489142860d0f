/** What people are told of, made from an event of the kernel. */
import { createRedactor, type EventRecord, type Redact, type WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonObject, type WorkspaceId } from '@warren/protocol';
import { NOTICES, type NoticeKind } from '../config/config-default.ts';

export type Notice = {
  /** The same when it is told again: `<workspace>/<event id>`. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly workspace: WorkspaceId;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number | undefined;
  /** What the event says, without secrets of known names and forms: it leaves the machine. Bounded. */
  readonly data: JsonObject;
};

function redacted(data: JsonObject, redact: Redact): JsonObject {
  return createRedactor({ redact })(data) as JsonObject; // A map stays one.
}

/** Undefined for events nobody is told of. `redactorOf` takes out the values of the workspace. An event names what it is about; what people need to know of it is read. */
export async function noticeOf(
  mine: WorkspaceKernel,
  { id, kind, at, pid, payload }: EventRecord,
  redactorOf: () => Promise<Redact>,
): Promise<Notice | undefined> {
  const short = NOTICES.find((each) => kind === `kernel.${each}`);
  if (short === undefined) return undefined;
  const about =
    short === 'alert.sent' ? await alertData(mine, payload) : short.startsWith('approval.') ? await approvalData(mine, payload) : {};
  return { id: `${mine.id}/${id}`, kind: short, workspace: mine.id, at, pid, data: redacted({ ...payload, ...about }, await redactorOf()) };
}

async function alertData({ alerts }: WorkspaceKernel, payload: JsonObject): Promise<JsonObject> {
  const alert = await alerts.get(String(payload['alert_id'])).catch(ignoreGone);
  return alert === undefined ? {} : { message: alert.message, severity: alert.severity, agent: alert.agent, context: alert.context };
}

async function approvalData({ approvals }: WorkspaceKernel, payload: JsonObject): Promise<JsonObject> {
  const approval = await approvals.get(String(payload['approval_id'])).catch(ignoreGone);
  if (approval === undefined) return {};
  const { agent, capability, input, state, reasoning = null, rule, expiresAt } = approval;
  return { agent, capability, input, state, reasoning, reason: rule?.reason ?? null, expires_at: new Date(expiresAt).toISOString() };
}

/** It was purged meanwhile: the event alone is told. */
function ignoreGone(error: unknown): undefined {
  if (!isFault(error, 'not_found')) throw error;
}

/** One line for people. */
export function titleOf({ kind, data, workspace }: Notice): string {
  const say = (name: string): string => oneLine(String(data[name] ?? ''));
  switch (kind) {
    case 'approval.requested':
      return `Approval needed: ${say('agent') || 'a process'} wants to call ${say('capability')} (${workspace})`;
    case 'approval.escalated':
      return `Still waiting: ${say('agent') || 'a process'} wants to call ${say('capability')} (${workspace})`;
    case 'approval.decided':
      return `${say('state')}: ${say('capability')} of ${say('agent') || 'a process'} (${workspace})`;
    case 'alert.sent':
      return `${say('severity')}: ${say('message')} (${workspace})`;
    case 'call.notified':
      return `${say('agent') || 'a process'} called ${say('capability')} (${workspace})`;
    default:
      return kind satisfies never;
  }
}

const TITLE_MAX = 200;

/** What an agent wrote must not become a header or a second line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').slice(0, TITLE_MAX);
}
