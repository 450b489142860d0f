import type { HandlersOf } from './handler.ts';
import { toAccountEntry, toProcessEntries } from './record/ledger.ts';

export const LEDGER_HANDLERS: HandlersOf<'kernel.ledger.' | 'ledger.'> = {
  async 'kernel.ledger.create'({ pid, grants, warn_at, on_breach }, { mine }) {
    const entries = await mine.ledger.create({ kind: 'process', pid }, grants, { warnAt: warn_at, onBreach: on_breach });
    return { pid, dims: entries.map(({ dim }) => dim) };
  },

  async 'kernel.ledger.charge'({ pid, dim, amount }, { mine }) {
    const { used, granted, isOver, isWarning, isFirstBreach } = await mine.ledger.charge(pid, dim, amount);
    return { pid, dim, amount, used, granted, over_limit: isOver, warned: isWarning, first_breach: isFirstBreach };
  },

  async 'kernel.ledger.check'({ pid, dim, amount }, { mine }) {
    const { used, reserved, granted, wouldUse, wouldExceed } = await mine.ledger.check(pid, dim, amount);
    return { pid, dim, used, reserved, granted, would_use: wouldUse, would_exceed: wouldExceed };
  },

  async 'kernel.ledger.get'({ pid }, { mine }) {
    return { pid, entries: toProcessEntries(await mine.ledger.list({ kind: 'process', pid })) };
  },

  async 'kernel.ledger.list_breached'({ limit }, { mine }) {
    return { entries: toProcessEntries(await mine.ledger.listBreached(limit)) }; // Processes come first, so none is missed.
  },

  async 'kernel.ledger.refund'({ pid, dim, amount }, { mine }) {
    const { used, granted } = await mine.ledger.refund({ kind: 'process', pid }, dim, amount);
    return { pid, dim, used, granted };
  },

  async 'kernel.ledger.update_grant'({ pid, dim, new_grant }, { mine }) {
    const { used, granted } = await mine.ledger.updateGrant({ kind: 'process', pid }, dim, new_grant);
    return { pid, dim, granted, used };
  },

  async 'ledger.reserve'({ pid, amounts }, { mine }) {
    const reserved = await mine.ledger.reserve(pid, amounts);
    if (reserved.kind === 'denied') return reserved;
    const { id, ...reservation } = reserved.reservation;
    return { kind: 'reserved', reservation_id: id, pid: reservation.pid, amounts: { ...reservation.amounts } };
  },

  async 'ledger.settle'({ reservation_id, used }, { mine }) {
    return { settled: await mine.ledger.settle(reservation_id, used) };
  },

  async 'ledger.account.create'({ account, grants, warn_at, on_breach }, { mine }) {
    return { entries: (await mine.ledger.create(account, grants, { warnAt: warn_at, onBreach: on_breach })).map(toAccountEntry) };
  },

  async 'ledger.account.list'({ account }, { mine }) {
    return { entries: (await mine.ledger.list(account)).map(toAccountEntry) };
  },

  async 'ledger.account.list_breached'({ limit }, { mine }) {
    return { entries: (await mine.ledger.listBreached(limit)).map(toAccountEntry) };
  },

  async 'ledger.account.refund'({ account, dim, amount }, { mine }) {
    return toAccountEntry(await mine.ledger.refund(account, dim, amount));
  },

  async 'ledger.account.update_grant'({ account, dim, new_grant }, { mine }) {
    return toAccountEntry(await mine.ledger.updateGrant(account, dim, new_grant));
  },

  async 'ledger.workspace.create'({ grants, warn_at, on_breach }, { mine }) {
    const entries = await mine.ledger.create({ kind: 'workspace' }, grants, { warnAt: warn_at, onBreach: on_breach });
    return { entries: entries.map(toAccountEntry) };
  },

  async 'ledger.workspace.refund'({ dim, amount }, { mine }) {
    return toAccountEntry(await mine.ledger.refund({ kind: 'workspace' }, dim, amount));
  },

  async 'ledger.workspace.update_grant'({ dim, new_grant }, { mine }) {
    return toAccountEntry(await mine.ledger.updateGrant({ kind: 'workspace' }, dim, new_grant));
  },
};
