import type { AuditEntry, Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault } from '@warren/protocol';
import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { AUDITED, auditOperation } from './audit-operation.ts';
import type { Call } from './handler.ts';

/** What changes something and is not in the audit as an operation, by why. */
const NOT_AUDITED: readonly { readonly why: string; readonly names: readonly OperationName[] }[] = [
  { why: 'the gate records it itself, with its decision and outcome', names: ['call.make', 'call.cancel'] },
  {
    why: 'work that runners hand in and out for processes: each step is an event of the process',
    names: [
      ...(['kernel.sched.enqueue', 'kernel.sched.claim', 'kernel.sched.complete', 'kernel.sched.cancel'] as const),
      ...(['queue.enqueue', 'queue.claim', 'queue.heartbeat', 'queue.complete', 'queue.fail', 'queue.release', 'queue.retry'] as const),
    ],
  },
  {
    why: 'what processes say to each other: each message is an event',
    names: [
      ...([
        'kernel.events.append',
        'kernel.mbox.create',
        'kernel.mbox.delete',
        'kernel.mbox.subscribe',
        'kernel.mbox.unsubscribe',
      ] as const),
      ...(['kernel.mbox.send', 'kernel.mbox.publish', 'kernel.mbox.recv'] as const),
      ...(['mail.send', 'mail.publish', 'mail.receive', 'mail.ack', 'mail.request', 'mail.reply'] as const),
      ...(['kernel.registry.register', 'kernel.registry.unregister', 'kernel.registry.unregister_pid'] as const),
    ],
  },
  {
    why: 'what processes keep: each version is kept too',
    names: ['kernel.fs.write', 'kernel.fs.delete', 'kernel.fs.set_mode', 'file.write', 'file.restore'],
  },
  {
    why: 'use of a budget that somebody set: each is an entry of the ledger',
    names: ['kernel.ledger.charge', 'ledger.reserve', 'ledger.settle'],
  },
  {
    why: 'takes away what was over already, by rules that were set before',
    names: ['kernel.sched.gc_expired', 'kernel.mbox.gc_expired', 'kernel.fs.gc_orphaned', 'file.purge_history'],
  },
];

/** As much of it as is looked at. */
function callOf(principal: Principal, name?: string): Call {
  return { principal, caller: { principal, name, groups: [] }, workspace: DEFAULT_WORKSPACE } as unknown as Call; // As said.
}

const CALL = callOf({ kind: 'operator' });

/** An audit in memory that can be made to fail. */
class TestAudit {
  readonly entries: AuditEntry[] = [];
  isBroken = false;

  async ready(): Promise<void> {
    if (this.isBroken) throw new Fault('store_failed', 'Cannot record in the audit: its directory was removed');
  }

  async append(entry: AuditEntry) {
    await this.ready();
    this.entries.push(entry);
    return { seq: this.entries.length - 1, at: 0, hash: '' };
  }
}

describe('operations in the audit', () => {
  it('exist, and change something', () => {
    for (const name of AUDITED) expect([name, OPERATIONS[name]?.effect]).toEqual([name, expect.stringMatching(/^(?:once|idempotent)$/)]);
  });

  it('are all that change something, but for those with a reason', () => {
    const excepted = NOT_AUDITED.flatMap(({ names }) => names);
    const changing = Object.entries(OPERATIONS).flatMap(([name, { effect }]) => (effect === 'read' ? [] : [name]));
    expect([...AUDITED, ...excepted].toSorted()).toEqual(changing.toSorted());
  });
});

describe('auditOperation', () => {
  it('records who did what with which parameters, without secrets', async () => {
    const audit = new TestAudit();
    const member = { kind: 'member', workspace: DEFAULT_WORKSPACE } as const;
    expect(
      await auditOperation(audit, 'token.create', { label: 'ci', password: 'hunter2-hunter2' }, callOf(member, 'alice'), async () => 42),
    ).toBe(42);
    expect(audit.entries).toEqual([
      {
        kind: 'operator',
        workspace: 'default',
        actor: { kind: 'member', name: 'alice' },
        action: 'token.create',
        input: { label: 'ci', password: expect.not.stringContaining('hunter2') },
        outcome: 'success',
      },
    ]);
  });

  it.each([
    [new Fault('permission_denied', 'Cannot: it is not yours'), 'denied', 'permission_denied', 'Cannot: it is not yours'],
    [new Fault('conflict', 'Cannot: it is approved already'), 'denied', 'conflict', 'Cannot: it is approved already'],
    [new Fault('not_found', 'Cannot: it does not exist'), 'failure', 'not_found', 'Cannot: it does not exist'],
    [new Error('/secret/path is broken'), 'failure', 'internal', 'an error of ours'],
  ])('records what did not work: %s', async (error, outcome, type, message) => {
    const audit = new TestAudit();
    const failing = auditOperation(audit, 'token.revoke', {}, CALL, () => Promise.reject(error));
    await expect(failing).rejects.toBe(error);
    expect(audit.entries).toMatchObject([{ outcome, error: { type, message } }]);
  });

  it('leaves alone what reads, and what a process does', async () => {
    const audit = new TestAudit();
    audit.isBroken = true;
    const process = { kind: 'process', workspace: DEFAULT_WORKSPACE, pid: 1 } as const;
    expect(await auditOperation(audit, 'token.list', {}, CALL, async () => 1)).toBe(1);
    expect(await auditOperation(audit, 'kernel.agent.create', {}, callOf(process), async () => 2)).toBe(2);
    expect(audit.entries).toEqual([]);
  });

  it('changes nothing while the audit cannot be written', async () => {
    const audit = new TestAudit();
    audit.isBroken = true;
    let done = 0;
    const failing = auditOperation(audit, 'agent.start', {}, CALL, async () => ++done);
    await expect(failing).rejects.toMatchObject({ code: 'store_failed' });
    expect(done).toBe(0);
  });

  it('gives no answer when the entry could not be written, and records nothing of a failure that is not one', async () => {
    const audit = new TestAudit();
    const failing = auditOperation(audit, 'agent.start', {}, CALL, async () => {
      audit.isBroken = true;
    });
    await expect(failing).rejects.toMatchObject({ code: 'store_failed' });
    audit.isBroken = false;
    expect(audit.entries).toEqual([]);
  });
});
