/**
 * Where each operation stands below `/api`: one method and one path. Names in braces are parameters of the operation; the others travel in the
 * query of what only reads, and in the body of the rest. Nouns are resources, and what is no record of its own is a verb below one.
 *
 * The operations named `kernel.` are calls of procedures by name, as their earlier system had them, and stay so: `POST /api/kernel/mbox.send`.
 */
import type { JsonObject } from '../json.ts';
import { OPERATIONS, type OperationName } from './operations.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type HttpRoute = {
  readonly method: HttpMethod;
  readonly path: string;
  /** Of an answer that is none of a failure. */
  readonly status: 200 | 201;
  /** Parameters by the names that clients of an earlier system give them. */
  readonly aliases: Readonly<Record<string, string>>;
};

type KernelName = Extract<OperationName, `kernel.${string}`>;

/** Whoever adds an operation says here where it stands. What reads and takes more than a query holds is a POST. */
const PLACES = {
  'process.signal': 'POST /processes/{pid}/signal',
  'process.tree': 'GET /processes/{pid}/tree',
  'event.newest': 'GET /events',
  'event.extent': 'GET /events/extent',
  'grant.narrow': 'PATCH /processes/{pid}/grants',
  'grant.revoke': 'DELETE /processes/{pid}/grants',
  'ledger.reserve': 'POST /processes/{pid}/reservations',
  'ledger.settle': 'POST /reservations/{reservation_id}/settle',
  'ledger.account.create': 'POST /accounts',
  'ledger.account.list': 'GET /accounts',
  'ledger.account.list_breached': 'GET /accounts/breached',
  'ledger.account.refund': 'POST /accounts/refund',
  'ledger.account.update_grant': 'PATCH /accounts',
  'ledger.workspace.create': 'POST /workspace/budgets',
  'ledger.workspace.refund': 'POST /workspace/budgets/{dim}/refund',
  'ledger.workspace.update_grant': 'PATCH /workspace/budgets/{dim}',
  'queue.enqueue': 'POST /queue',
  'queue.claim': 'POST /queue/claim',
  'queue.heartbeat': 'POST /queue/{sched_id}/heartbeat',
  'queue.complete': 'POST /queue/{sched_id}/complete',
  'queue.fail': 'POST /queue/{sched_id}/fail',
  'queue.release': 'POST /queue/{sched_id}/release',
  'queue.retry': 'POST /queue/{sched_id}/retry',
  'mail.send': 'POST /mail/send',
  'mail.publish': 'POST /mail/publish',
  'mail.request': 'POST /mail/request',
  'mail.receive': 'POST /processes/{pid}/mail/receive',
  'mail.ack': 'POST /processes/{pid}/mail/ack',
  'mail.reply': 'POST /processes/{pid}/mail/reply',
  'file.write': 'PUT /files',
  'file.read': 'GET /files',
  'file.history': 'GET /files/history',
  'file.restore': 'POST /files/restore',
  'file.purge_history': 'POST /files/purge-history',
  'workspace.create': 'POST /workspaces',
  'workspace.delete': 'DELETE /workspaces/{workspace}',
  'workspace.get': 'GET /workspace',
  'workspace.list': 'GET /workspaces',
  'workspace.update': 'PATCH /workspaces/{workspace}',
  'workspace.usage': 'GET /workspace/usage',
  'token.create': 'POST /tokens',
  'token.create_operator': 'POST /tokens/operator',
  'token.list': 'GET /tokens',
  'token.revoke': 'DELETE /tokens/{token_id}',
  'person.create': 'POST /people',
  'person.create_operator': 'POST /people/operator',
  'person.list': 'GET /people',
  'person.update': 'PATCH /people/{name}',
  'person.disable': 'POST /people/{name}/disable',
  'person.enable': 'POST /people/{name}/enable',
  'person.delete': 'DELETE /people/{name}',
  'call.make': 'POST /calls',
  'call.result': 'GET /calls/{call_id}',
  'call.cancel': 'POST /calls/{call_id}/cancel',
  'call.list': 'GET /calls',
  'capability.list': 'GET /capabilities',
  'capability.offered': 'GET /processes/{pid}/capabilities',
  'capability.describe': 'GET /capabilities/{name}',
  'capability.reload': 'POST /capabilities/reload',
  'tool.list': 'GET /tools',
  'tool.call': 'POST /tools/call',
  'mcp_server.list': 'GET /mcp-servers',
  'mcp_server.get': 'GET /mcp-servers/{name}',
  'mcp_server.reload': 'POST /mcp-servers/reload',
  'mcp_server.begin_login': 'POST /mcp-servers/{name}/login',
  'mcp_server.finish_login': 'POST /mcp-servers/{name}/login/finish',
  'mcp_server.approve': 'POST /mcp-servers/{name}/approve',
  'mcp_server.remove': 'DELETE /mcp-servers/{name}',
  'approval.list': 'GET /approvals',
  'approval.get': 'GET /approvals/{approval_id}',
  'approval.approve': 'POST /approvals/{approval_id}/approve',
  'approval.reject': 'POST /approvals/{approval_id}/reject',
  'approval.cancel': 'POST /approvals/{approval_id}/cancel',
  'approval.list_rules': 'GET /allow-rules',
  'approval.revoke_rule': 'DELETE /allow-rules/{rule_id}',
  'policy.show': 'GET /policy',
  'policy.explain': 'POST /policy/explain',
  'policy.reload': 'POST /policy/reload',
  'policy.simulate': 'POST /policy/simulate',
  'audit.search': 'GET /audit',
  'audit.get': 'GET /audit/{seq}',
  'audit.head': 'GET /audit/head',
  'audit.prove_inclusion': 'GET /audit/{seq}/inclusion',
  'audit.prove_consistency': 'GET /audit/consistency',
  'alert.list': 'GET /alerts',
  'alert.acknowledge': 'POST /alerts/{alert_id}/acknowledge',
  'memory.store': 'POST /memories',
  'memory.search': 'POST /memories/search',
  'memory.get': 'GET /memories/{memory_id}',
  'memory.list': 'GET /memories',
  'memory.forget': 'DELETE /memories/{memory_id}',
  'hook.list': 'GET /hooks',
  'hook.test': 'POST /hooks/{name}/test',
  'skill.list': 'GET /skills',
  'skill.get': 'GET /skills/{name}',
  'skill.add': 'POST /skills',
  'skill.approve': 'POST /skills/{name}/approve',
  'skill.remove': 'DELETE /skills/{name}',
  'skill.enable': 'POST /skills/{name}/enable',
  'skill.disable': 'POST /skills/{name}/disable',
  'skill.test': 'POST /skills/{name}/test',
  'transcript.create': 'POST /transcripts',
  'transcript.append': 'POST /transcripts/{session}/entries',
  'transcript.list': 'GET /transcripts',
  'transcript.get': 'GET /transcripts/{session}',
  'transcript.search': 'POST /transcripts/search',
  'transcript.branch': 'POST /transcripts/{session}/branch',
  'transcript.compact': 'POST /transcripts/{session}/compact',
  'transcript.export': 'GET /transcripts/{session}/export',
  'transcript.delete': 'DELETE /transcripts/{session}',
  'secret.set': 'PUT /secrets/{name}',
  'secret.list': 'GET /secrets',
  'secret.get': 'GET /secrets/{name}',
  'secret.change': 'PATCH /secrets/{name}',
  'secret.rollback': 'POST /secrets/{name}/rollback',
  'secret.revoke': 'POST /secrets/{name}/revoke',
  'secret.restore': 'POST /secrets/{name}/restore',
  'secret.delete': 'DELETE /secrets/{name}',
  'secret.rotate_key': 'POST /workspace/data-key/rotate',
  'vault.status': 'GET /vault',
  'vault.unlock': 'POST /vault/unlock',
  'vault.change_passphrase': 'POST /vault/passphrase',
  'vault.rotate_root': 'POST /vault/rotate',
  'taint.list': 'GET /processes/{pid}/taint',
  'taint.clear': 'DELETE /processes/{pid}/taint',
  'taint.list_files': 'GET /files/taint',
  'taint.clear_files': 'DELETE /files/taint',
  'agent.pause': 'POST /agents/{agent}/pause',
  'agent.resume': 'POST /agents/{agent}/resume',
  'agent.start': 'POST /agents/{agent}/start',
  'agent.open': 'POST /agents/{agent}/process',
  'agent.find': 'GET /agents/{agent}/process',
  'agent.create': 'POST /agents',
  'agent.get': 'GET /agents/{agent}',
  'agent.update': 'PATCH /agents/{agent}',
  'agent.rotate_token': 'POST /agents/{agent}/rotate-token',
  'agent.revoke': 'POST /agents/{agent}/revoke',
  'agent.restore': 'POST /agents/{agent}/restore',
  'agent.delete': 'DELETE /agents/{agent}',
  'agent.list': 'GET /agents',
  'daemon.status': 'GET /status',
  'daemon.stop': 'POST /daemon/stop',
  'store.check': 'GET /store/check',
  'store.backup': 'POST /store/backup',
} as const satisfies Record<Exclude<OperationName, KernelName>, `${HttpMethod} /${string}`>;

/** What makes something that has a place of its own from then on. */
const MAKES: ReadonlySet<string> = new Set<OperationName>([
  ...(['ledger.account.create', 'ledger.workspace.create', 'workspace.create', 'queue.enqueue', 'ledger.reserve'] as const),
  ...([
    'token.create',
    'token.create_operator',
    'person.create',
    'person.create_operator',
    'agent.create',
    'agent.start',
    'transcript.create',
  ] as const),
]);

const ALIASES: Partial<Record<OperationName, Readonly<Record<string, string>>>> = {
  'approval.approve': { reason: 'note' },
  'audit.search': { capability: 'action', since: 'from' },
};

const NONE: Readonly<Record<string, string>> = Object.freeze({});

export const HTTP_ROUTES = Object.freeze(
  Object.fromEntries((Object.keys(OPERATIONS) as OperationName[]).map((name) => [name, Object.freeze(routeOf(name))])), // Object.keys forgets them.
) as { readonly [Name in OperationName]: HttpRoute }; // As does Object.fromEntries.

function routeOf(name: OperationName): HttpRoute {
  if (isOfKernel(name)) return { method: 'POST', path: `/api/kernel/${name.slice('kernel.'.length)}`, status: 200, aliases: NONE };
  const [method = '', path = ''] = PLACES[name].split(' ');
  return { method: method as HttpMethod, path: `/api${path}`, status: MAKES.has(name) ? 201 : 200, aliases: ALIASES[name] ?? NONE }; // The type of the table says so.
}

function isOfKernel(name: OperationName): name is KernelName {
  return name.startsWith('kernel.');
}

/** The parameters that stand in a path, in its order. */
export function pathParams(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name);
}

/** With the names of the contract. Where both are given, its own wins. */
export function withoutAliases({ aliases }: Pick<HttpRoute, 'aliases'>, params: JsonObject): JsonObject {
  const entries = Object.entries(params);
  const isAlias = (key: string): boolean => Object.hasOwn(aliases, key);
  if (!entries.some(([key]) => isAlias(key))) return params;
  const renamed = entries.flatMap(([key, value]) => (isAlias(key) ? [[aliases[key] ?? key, value] as const] : []));
  return { ...Object.fromEntries(renamed), ...Object.fromEntries(entries.filter(([key]) => !isAlias(key))) };
}
