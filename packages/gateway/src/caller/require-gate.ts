/**
 * Every action of an agent takes the gate, where policy, people, budgets and the audit see it. So the token of a process that acts for an agent is good for
 * calls, and for looking at what the process itself is and holds; what would act, or hand on what somebody else wrote, is refused with the capability to call instead. A process
 * that acts for no agent has all of it, as programs on the kernel always had, until it carries labels of untrusted content: these follow it through the gate only.
 */
import type { Kernel } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { OperationName } from '@warren/protocol/contract';

/** The gate itself, and what a process may know of itself. None of them carries words of one process to another. */
export const BESIDE_THE_GATE: ReadonlySet<OperationName> = new Set<OperationName>([
  ...(['call.make', 'call.result', 'call.cancel', 'capability.list', 'capability.offered', 'capability.describe'] as const),
  ...(['tool.list', 'tool.call'] as const),
  ...(['taint.list', 'kernel.api.list_methods', 'kernel.api.version_info'] as const),
  ...([
    'kernel.agent.get',
    'kernel.agent.list',
    'process.tree',
    'kernel.observe.proc',
    'kernel.ledger.check',
    'kernel.ledger.get',
  ] as const),
  ...(['kernel.cap.get', 'kernel.cap.check_tool', 'kernel.cap.check_model', 'kernel.cap.check_net', 'kernel.cap.check_fs'] as const),
  ...(['kernel.registry.lookup', 'kernel.registry.list', 'kernel.mbox.list_subscriptions', 'kernel.sched.list'] as const),
  ...(['kernel.events.tail', 'event.newest'] as const),
]);

/** What an agent calls instead; undefined where only people do such things for an agent. */
export const INSTEAD = {
  'kernel.agent.create': undefined,
  'kernel.agent.terminate': undefined,
  'kernel.events.append': 'alerts.send',
  'kernel.cap.derive': undefined,
  'kernel.ledger.create': undefined,
  'kernel.sched.enqueue': 'scheduler.delay',
  'kernel.mbox.create': 'comms.receive',
  'kernel.mbox.delete': undefined,
  'kernel.mbox.subscribe': 'comms.subscribe',
  'kernel.mbox.unsubscribe': 'comms.unsubscribe',
  'kernel.mbox.send': 'comms.send',
  'kernel.mbox.publish': 'comms.publish',
  'kernel.mbox.recv': 'comms.receive',
  'kernel.mbox.peek': 'comms.receive',
  'kernel.registry.register': undefined,
  'kernel.registry.unregister': undefined,
  'kernel.registry.unregister_pid': undefined,
  'kernel.fs.write': 'filesystem.write',
  'kernel.fs.read': 'filesystem.read',
  'kernel.fs.stat': 'filesystem.stat',
  'kernel.fs.exists': 'filesystem.stat',
  'kernel.fs.list': 'filesystem.list',
  'kernel.fs.delete': 'filesystem.delete',
  'kernel.fs.set_mode': undefined,
  'kernel.fs.gc_orphaned': 'filesystem.delete',
  'process.signal': undefined,
  'grant.narrow': undefined,
  'grant.revoke': undefined,
  'queue.enqueue': 'scheduler.delay',
  'mail.send': 'comms.send',
  'mail.publish': 'comms.publish',
  'mail.receive': 'comms.receive',
  'mail.ack': 'comms.receive',
  'mail.request': 'comms.send',
  'mail.reply': 'comms.send',
  'file.write': 'filesystem.write',
  'file.read': 'filesystem.read',
  'file.history': 'filesystem.stat',
  'file.restore': 'filesystem.restore',
} as const satisfies Partial<Record<OperationName, string | undefined>>;

/** The same for the token of an agent, whatever its process is. Throws `permission_denied`. */
export function requireGateOfAgent(name: OperationName): void {
  if (!BESIDE_THE_GATE.has(name))
    throw new Fault('permission_denied', `Cannot call ${name} as an agent: what an agent does takes the gate, with call.make`);
}

/** Throws `permission_denied`. What is new and stands in neither table is refused. */
export async function requireGate(
  { store }: Pick<Kernel, 'store'>,
  workspace: WorkspaceId,
  pid: number,
  name: OperationName,
): Promise<void> {
  if (BESIDE_THE_GATE.has(name)) return;
  const { agent, labels } = await store.workspace(workspace).read(({ processes, taints }) => ({
    agent: processes.find(pid)?.agent ?? '',
    labels: taints.of(pid).map(({ label }) => label),
  }));
  if (agent === '' && labels.length === 0) return;
  const why = agent === '' ? `it carries the label ${JSON.stringify(labels[0])}` : `it acts for agent ${JSON.stringify(agent)}`;
  const instead = (INSTEAD as Partial<Record<OperationName, string | undefined>>)[name]; // Of most names it says nothing.
  const advice = instead === undefined ? 'people do this for it' : `it calls the capability ${instead} instead, with call.make`;
  throw new Fault('permission_denied', `Cannot call ${name} as process ${pid}: ${why} and takes the gate for what it does; ${advice}`, {
    details: { pid, capability: instead ?? null },
  });
}
