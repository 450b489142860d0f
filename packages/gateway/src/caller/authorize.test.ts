import type { Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, hasRole, MEMBER_ROLES, type MemberRole } from '@warren/protocol';
import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { authorize, type Family, requireAllowed } from './authorize.ts';

/** Processes: 2 calls; 1 is its parent, 3 its child, 4 the child of that; 9 is a stranger. */
const SELF = 2;
const PARENT_OF: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 3 };
const isBelow = async (pid: number, ancestor: number): Promise<boolean> => {
  const parent = PARENT_OF[pid];
  return parent !== undefined && (parent === ancestor || (await isBelow(parent, ancestor)));
};
/** The agent whose processes those are. */
const AGENT_NAME = 'coder';
const FAMILY: Family = { isBelow, isOf: async (pid, agent) => agent === AGENT_NAME && [2, 3, 4].includes(pid) };

/** Who is asked about: in the parameter that the operation names. */
const SUBJECTS = { itself: SELF, child: 3, grandchild: 4, parent: 1, stranger: 9, unknown: 12_345, nobody: undefined } as const;
type Subject = keyof typeof SUBJECTS;

/** Which subjects a process may name; what is not for processes at all has none. */
const FOR_PROCESSES = {
  anyone: ['itself', 'child', 'grandchild', 'parent', 'stranger', 'unknown', 'nobody'],
  itself: ['itself'],
  family: ['itself', 'child', 'grandchild'],
  below: ['child', 'grandchild'],
  member: [],
  operator: [],
} as const satisfies Record<string, readonly Subject[]>;

/** Every operation, who may call it, and where it says for whom. A new one does not compile until somebody has thought about that. */
const EXPECTED: Readonly<Record<OperationName, readonly [keyof typeof FOR_PROCESSES, string?]>> = {
  'kernel.agent.create': ['family', 'parent_pid'],
  'kernel.agent.get': ['family', 'pid'],
  'kernel.agent.list': ['family', 'parent_pid'],
  'kernel.agent.transition': ['member'],
  'kernel.agent.terminate': ['family', 'pid'],
  'kernel.events.append': ['itself', 'pid'],
  'kernel.events.tail': ['family', 'pid'],
  'kernel.info': ['member'],
  'kernel.cap.create': ['member'],
  'kernel.cap.derive': ['family', 'parent_pid'],
  'kernel.cap.get': ['family', 'pid'],
  'kernel.cap.check_tool': ['family', 'pid'],
  'kernel.cap.check_model': ['family', 'pid'],
  'kernel.cap.check_net': ['family', 'pid'],
  'kernel.cap.check_fs': ['family', 'pid'],
  'kernel.ledger.create': ['below', 'pid'],
  'kernel.ledger.charge': ['member'],
  'kernel.ledger.check': ['family', 'pid'],
  'kernel.ledger.get': ['family', 'pid'],
  'kernel.ledger.list_breached': ['member'],
  'kernel.ledger.refund': ['member'],
  'kernel.ledger.update_grant': ['member'],
  'kernel.sched.enqueue': ['family', 'pid'],
  'kernel.sched.claim': ['member'],
  'kernel.sched.complete': ['member'],
  'kernel.sched.cancel': ['member'],
  'kernel.sched.get': ['member'],
  'kernel.sched.list': ['family', 'pid'],
  'kernel.sched.gc_expired': ['member'],
  'kernel.mbox.create': ['family', 'pid'],
  'kernel.mbox.delete': ['family', 'pid'],
  'kernel.mbox.subscribe': ['family', 'pid'],
  'kernel.mbox.unsubscribe': ['family', 'pid'],
  'kernel.mbox.list_subscriptions': ['family', 'pid'],
  'kernel.mbox.send': ['itself', 'sender_pid'],
  'kernel.mbox.publish': ['itself', 'sender_pid'],
  'kernel.mbox.recv': ['itself', 'pid'],
  'kernel.mbox.peek': ['itself', 'pid'],
  'kernel.mbox.gc_expired': ['member'],
  'kernel.registry.register': ['family', 'pid'],
  'kernel.registry.unregister': ['itself', 'pid'],
  'kernel.registry.unregister_pid': ['family', 'pid'],
  'kernel.registry.lookup': ['anyone'],
  'kernel.registry.list': ['anyone'],
  'kernel.fs.write': ['itself', 'pid'],
  'kernel.fs.read': ['itself', 'pid'],
  'kernel.fs.stat': ['itself', 'pid'],
  'kernel.fs.exists': ['itself', 'pid'],
  'kernel.fs.list': ['family', 'owner_pid'],
  'kernel.fs.delete': ['itself', 'pid'],
  'kernel.fs.set_mode': ['itself', 'pid'],
  'kernel.fs.gc_orphaned': ['family', 'pid'],
  'kernel.observe.proc': ['family', 'pid'],
  'kernel.observe.summary': ['member'],
  'kernel.observe.trace': ['member'],
  'kernel.observe.prometheus': ['operator'],
  'kernel.api.list_methods': ['anyone'],
  'kernel.api.version_info': ['anyone'],
  'process.signal': ['below', 'pid'],
  'process.tree': ['family', 'pid'],
  'event.newest': ['family', 'pid'],
  'event.extent': ['member'],
  'grant.narrow': ['family', 'pid'],
  'grant.revoke': ['family', 'pid'],
  'ledger.reserve': ['member'],
  'ledger.settle': ['member'],
  'ledger.account.create': ['member'],
  'ledger.account.list': ['member'],
  'ledger.account.list_breached': ['member'],
  'ledger.account.refund': ['member'],
  'ledger.account.update_grant': ['member'],
  'ledger.workspace.create': ['operator'],
  'ledger.workspace.refund': ['operator'],
  'ledger.workspace.update_grant': ['operator'],
  'queue.enqueue': ['family', 'pid'],
  'queue.claim': ['member'],
  'queue.heartbeat': ['member'],
  'queue.complete': ['member'],
  'queue.fail': ['member'],
  'queue.release': ['member'],
  'queue.retry': ['member'],
  'mail.send': ['itself', 'sender_pid'],
  'mail.publish': ['itself', 'sender_pid'],
  'mail.receive': ['itself', 'pid'],
  'mail.ack': ['itself', 'pid'],
  'mail.request': ['itself', 'sender_pid'],
  'mail.reply': ['itself', 'pid'],
  'file.write': ['itself', 'pid'],
  'file.read': ['itself', 'pid'],
  'file.history': ['itself', 'pid'],
  'file.restore': ['itself', 'pid'],
  'file.purge_history': ['member'],
  'workspace.create': ['operator'],
  'workspace.delete': ['operator'],
  'workspace.usage': ['member'],
  'workspace.get': ['member'],
  'workspace.list': ['operator'],
  'workspace.update': ['operator'],
  'token.create': ['member'],
  'token.create_operator': ['operator'],
  'token.list': ['member'],
  'token.revoke': ['member'],
  'call.make': ['itself', 'pid'],
  'call.result': ['itself', 'pid'],
  'call.cancel': ['itself', 'pid'],
  'call.list': ['member'],
  'capability.list': ['anyone'],
  'capability.offered': ['itself', 'pid'],
  'capability.describe': ['anyone'],
  'capability.reload': ['operator'],
  'tool.list': ['anyone'],
  'tool.call': ['anyone'],
  'mcp_server.approve': ['operator'],
  'mcp_server.begin_login': ['operator'],
  'mcp_server.finish_login': ['operator'],
  'mcp_server.get': ['operator'],
  'mcp_server.list': ['operator'],
  'mcp_server.reload': ['operator'],
  'mcp_server.remove': ['operator'],
  'approval.list': ['member'],
  'approval.get': ['member'],
  'approval.approve': ['member'],
  'approval.reject': ['member'],
  'approval.cancel': ['member'],
  'approval.list_rules': ['member'],
  'approval.revoke_rule': ['member'],
  'policy.show': ['member'],
  'policy.explain': ['member'],
  'policy.reload': ['operator'],
  'policy.simulate': ['operator'],
  'audit.search': ['member'],
  'audit.get': ['member'],
  'audit.head': ['member'],
  'audit.prove_inclusion': ['member'],
  'audit.prove_consistency': ['member'],
  'alert.list': ['member'],
  'alert.acknowledge': ['member'],
  'memory.store': ['member'],
  'memory.search': ['member'],
  'memory.get': ['member'],
  'memory.list': ['member'],
  'memory.forget': ['member'],
  'hook.list': ['operator'],
  'hook.test': ['operator'],
  'skill.list': ['member'],
  'skill.get': ['member'],
  'skill.add': ['operator'],
  'skill.approve': ['operator'],
  'skill.remove': ['operator'],
  'skill.enable': ['member'],
  'skill.disable': ['member'],
  'skill.test': ['operator'],
  'transcript.create': ['member'],
  'transcript.append': ['member'],
  'transcript.list': ['member'],
  'transcript.get': ['member'],
  'transcript.search': ['member'],
  'transcript.branch': ['member'],
  'transcript.compact': ['member'],
  'transcript.export': ['member'],
  'transcript.delete': ['member'],
  'secret.set': ['member'],
  'secret.list': ['member'],
  'secret.get': ['member'],
  'secret.change': ['member'],
  'secret.rollback': ['member'],
  'secret.revoke': ['member'],
  'secret.restore': ['member'],
  'secret.delete': ['member'],
  'secret.rotate_key': ['member'],
  'vault.status': ['operator'],
  'vault.unlock': ['operator'],
  'vault.change_passphrase': ['operator'],
  'vault.rotate_root': ['operator'],
  'taint.list': ['family', 'pid'],
  'taint.clear': ['member'],
  'taint.list_files': ['member'],
  'taint.clear_files': ['member'],
  'agent.start': ['member'],
  'agent.open': ['member'],
  'agent.find': ['member'],
  'agent.list': ['member'],
  'agent.create': ['member'],
  'agent.get': ['member'],
  'agent.update': ['member'],
  'agent.rotate_token': ['member'],
  'agent.revoke': ['member'],
  'agent.restore': ['member'],
  'agent.delete': ['member'],
  'person.create': ['member'],
  'person.create_operator': ['operator'],
  'person.list': ['member'],
  'person.update': ['member'],
  'person.disable': ['member'],
  'person.enable': ['member'],
  'person.delete': ['member'],
  'agent.pause': ['member'],
  'agent.resume': ['member'],
  'daemon.status': ['operator'],
  'daemon.stop': ['operator'],
  'store.check': ['operator'],
  'store.backup': ['operator'],
};

const OPERATOR: Principal = { kind: 'operator' };
const member = (role: MemberRole): Principal => ({ kind: 'member', workspace: DEFAULT_WORKSPACE, role });
const AGENT: Principal = { kind: 'agent', workspace: DEFAULT_WORKSPACE, agent: AGENT_NAME };
const PROCESS: Principal = { kind: 'process', workspace: DEFAULT_WORKSPACE, pid: SELF };

/** Which subjects an agent may name. */
const FOR_AGENTS = { ...FOR_PROCESSES, itself: ['itself', 'child', 'grandchild'], below: [] } as const satisfies Record<
  string,
  readonly Subject[]
>;

/** What a viewer may not, and an approver may. Everything else that is no operator's is for viewers when it only reads, and for admins when not. */
const FOR_APPROVERS: ReadonlySet<OperationName> = new Set<OperationName>(['approval.approve', 'approval.reject', 'approval.cancel']);

describe.each(Object.entries(EXPECTED) as [OperationName, (typeof EXPECTED)[OperationName]][])('%s', (name, [who, parameter = 'pid']) => {
  const { scope, effect } = OPERATIONS[name];
  const isAllowed = async (principal: Principal, subject: Subject): Promise<boolean> =>
    (await authorize(principal, OPERATIONS[name], { [parameter]: SUBJECTS[subject] }, FAMILY)).kind === 'allowed';
  const allowedTo = async (principal: Principal): Promise<readonly Subject[]> => {
    const allowed: Subject[] = [];
    for (const subject of Object.keys(SUBJECTS) as Subject[]) if (await isAllowed(principal, subject)) allowed.push(subject);
    return allowed;
  };

  it(`is for operators${who === 'operator' ? ' only' : ' and members'}`, async () => {
    const least = effect === 'read' ? 'viewer' : FOR_APPROVERS.has(name) ? 'approver' : 'admin';
    for (const subject of Object.keys(SUBJECTS) as Subject[]) {
      expect(await isAllowed(OPERATOR, subject)).toBe(true);
      for (const role of MEMBER_ROLES) expect(await isAllowed(member(role), subject)).toBe(who !== 'operator' && hasRole(role, least));
    }
  });

  it(`is for a process about: ${FOR_PROCESSES[who].join(', ') || 'nothing'}`, async () => {
    expect(await allowedTo(PROCESS)).toEqual(FOR_PROCESSES[who]);
  });

  it(`is for an agent about: ${FOR_AGENTS[who].join(', ') || 'nothing'}`, async () => {
    expect(await allowedTo(AGENT)).toEqual(FOR_AGENTS[who]);
    const another: Principal = { ...AGENT, agent: 'another' };
    expect(await allowedTo(another)).toEqual(who === 'anyone' ? FOR_AGENTS.anyone : []);
  });

  it('has the parameter that says for whom', () => {
    if (scope.kind !== 'process') return expect(['anyone', 'member', 'operator']).toContain(who);
    expect(scope.pid).toBe(parameter);
    expect(OPERATIONS[name].params.shape).toHaveProperty(parameter);
  });
});

describe('a process', () => {
  const asked = { scope: { kind: 'process', pid: 'pid', tree: true }, effect: 'read' } as const;

  it.each(['2', [2], { valueOf: () => 2 }, Number.NaN, true, null])('is not believed that %j is itself', async (subject) => {
    for (const principal of [PROCESS, AGENT]) {
      const decision = await authorize(principal, asked, { pid: subject }, FAMILY);
      expect(decision.kind).toBe('denied');
    }
  });

  it('is told the same about a stranger and about nobody', async () => {
    for (const principal of [PROCESS, AGENT]) {
      const ask = async (pid: number) => await authorize(principal, asked, { pid }, FAMILY);
      expect(await ask(9)).toEqual(await ask(12_345));
    }
  });

  it('that is denied gets a fault that says why', async () => {
    const decision = await authorize(PROCESS, { scope: { kind: 'operator' }, effect: 'read' }, {}, FAMILY);
    expect(() => requireAllowed(decision, 'stop')).toThrow('Cannot stop: it is for operators');
  });
});
