/** Which operations are in the audit as such: all that change something, but for those with a reason. An operation that is added is in it. */
import { OPERATIONS, type OperationName } from '@warren/protocol/contract';

/** What changes something and is not in the audit as an operation, by why. */
export const NOT_AUDITED: readonly { readonly why: string; readonly names: readonly OperationName[] }[] = [
  { why: 'the gate records it itself, with its decision and outcome', names: ['call.make', 'tool.call'] },
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
      ...(['kernel.events.append', 'kernel.mbox.create', 'kernel.mbox.delete', 'kernel.mbox.subscribe'] as const),
      ...(['kernel.mbox.unsubscribe', 'kernel.mbox.send', 'kernel.mbox.publish', 'kernel.mbox.recv'] as const),
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

const EXCEPTED: ReadonlySet<string> = new Set(NOT_AUDITED.flatMap(({ names }) => names));

/** Who decides what agents may do, and what there is, does so by these, whoever it is. */
export function isAudited(name: OperationName): boolean {
  return OPERATIONS[name].effect !== 'read' && !EXCEPTED.has(name);
}
