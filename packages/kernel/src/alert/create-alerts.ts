/** Alerts of one workspace: each change one transaction, the row and its event in it together. */
import { randomBytes } from 'node:crypto';
import { createId, Fault, type RandomSource } from '@warren/protocol';
import { clamp } from '../internal/page.ts';
import { checkPayload, checkWord } from '../internal/payload.ts';
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import { ALERT_SEVERITIES, type AlertRow } from '../store/tables/alert-table.ts';
import type { Alerts } from './alerts.ts';

const MESSAGE_CHARACTERS_MAX = 4_096;
/** Alerts that wait to be acknowledged; more would be read by nobody. Agents cannot crowd out what Warren itself has to say. */
const PENDING_MAX = 10_000;
const OWN_PENDING_MAX = PENDING_MAX + 1_000;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
const STATUSES = { pending: false, acknowledged: true, all: undefined } as const;

export type AlertParts = { readonly store: WorkspaceStore; readonly random?: RandomSource | undefined };

export function createAlerts({ store, random = randomBytes }: AlertParts): Alerts {
  return {
    async send({ message, severity, context = {}, agent = '', pid }) {
      checkMessage(message);
      if (!ALERT_SEVERITIES.includes(severity)) throw invalid('severity', `it is none of ${ALERT_SEVERITIES.join(', ')}`);
      if (agent !== '') checkWord(agent, 'agent', 'invalid_argument');
      if (pid !== undefined && !(Number.isSafeInteger(pid) && pid >= 1)) throw invalid('pid', 'it is no pid');
      const copy = structuredClone(checkPayload(context, 'context', 'invalid_payload')); // Nobody changes it while it waits to be written.
      const id = createId('alert', random);
      return await store.write((transaction) => send(transaction, { id, agent, pid, message, severity, context: copy }));
    },

    async list({ status = 'all', agent } = {}, page = {}) {
      if (!Object.hasOwn(STATUSES, status)) throw invalid('status', `it is none of ${Object.keys(STATUSES).join(', ')}`);
      const limit = clamp(page.limit, PAGE_DEFAULT, 1, PAGE_MAX);
      return await store.read(({ alerts }) => ({
        alerts: alerts.list({ isAcknowledged: STATUSES[status], agent }, limit, page.before),
        pending: alerts.countPending(),
      }));
    },

    async acknowledge(id, by) {
      checkWord(by, 'by', 'invalid_argument');
      return await store.write(({ alerts, events, now }) => {
        const alert = alerts.find(id);
        if (alert === undefined || alert.acknowledgedAt !== undefined) return false;
        alerts.acknowledge(id, now, by);
        events.append({ pid: alert.pid, kind: 'kernel.alert.acknowledged', payload: { alert_id: id, by } });
        return true;
      });
    },

    async get(id) {
      const alert = await store.read(({ alerts }) => alerts.find(id));
      if (alert === undefined) throw new Fault('not_found', `Cannot find alert ${id}: there is none`, { details: { alert_id: id } });
      return alert;
    },
  };
}

function send({ alerts, events, now }: Transaction, alert: Omit<AlertRow, 'createdAt' | 'acknowledgedAt' | 'acknowledgedBy'>): AlertRow {
  const pending = alerts.countPending();
  const limit = alert.agent === '' && alert.pid === undefined ? OWN_PENDING_MAX : PENDING_MAX;
  if (pending >= limit) {
    throw new Fault('busy', `Cannot send an alert: ${pending} wait to be acknowledged, the limit is ${limit}`);
  }
  const row = { ...alert, createdAt: now, acknowledgedAt: undefined, acknowledgedBy: undefined };
  alerts.insert(row);
  const { id, agent, pid, severity } = alert;
  events.append({ pid, kind: 'kernel.alert.sent', payload: { alert_id: id, agent, severity } });
  return row;
}

/** Several lines are fine; a terminal that is told what to do is not. */
function checkMessage(message: unknown): void {
  if (typeof message !== 'string' || message === '') throw invalid('message', 'it is empty or no text');
  if (message.length > MESSAGE_CHARACTERS_MAX * 2 || Array.from(message).length > MESSAGE_CHARACTERS_MAX) {
    throw new Fault('too_large', `Cannot use message: it has more than ${MESSAGE_CHARACTERS_MAX} characters`, {
      details: { field: 'message' },
    });
  }
  if (!message.isWellFormed() || /[^\P{Cc}\n\t]/u.test(message)) {
    throw invalid('message', 'it has control characters or broken unicode');
  }
}

function invalid(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot use ${field}: ${why}`, { details: { field } });
}
