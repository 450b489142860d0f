/** The tables of one workspace on one connection, as the body of a transaction sees them. One object for each workspace, used again and again. */
import type { WorkspaceId } from '@warren/protocol';
import type { Transaction } from '../store.ts';
import type { EventRecord } from '../tables/event-table.ts';
import { prepareAgents, SqliteAgentTable } from './agent-table.ts';
import { prepareAlerts, SqliteAlertTable } from './alert-table.ts';
import { prepareApprovals, SqliteApprovalTable } from './approval-table.ts';
import { prepareCalls, SqliteCallTable } from './call-table.ts';
import { prepareCounters, SqliteCounterTable } from './counter-table.ts';
import type { Database } from './database.ts';
import { prepareEvents, SqliteEventTable } from './event-table.ts';
import { prepareFiles, SqliteFileTable } from './file-table.ts';
import { prepareGrants, SqliteGrantTable } from './grant-table.ts';
import { prepareLedger, SqliteLedgerTable } from './ledger-table.ts';
import { prepareMail } from './mail-statements.ts';
import { SqliteMailTable } from './mail-table.ts';
import { prepareNames, SqliteNameTable } from './name-table.ts';
import { prepareProcesses, SqliteProcessTable } from './process-table.ts';
import { prepareQueue, SqliteQueueTable } from './queue-table.ts';
import { prepareRuns, SqliteRunTable } from './run-table.ts';
import { prepareSecrets, SqliteSecretTable } from './secret-table.ts';
import { prepareState, SqliteStateTable } from './state-table.ts';
import type { Counters, TableContext } from './table-context.ts';
import { prepareTaints, SqliteTaintTable } from './taint-table.ts';
import { prepareTokens, SqliteTokenTable } from './token-table.ts';

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: Database) {
  return {
    processes: prepareProcesses(database),
    events: prepareEvents(database),
    grants: prepareGrants(database),
    ledger: prepareLedger(database),
    queue: prepareQueue(database),
    mail: prepareMail(database),
    names: prepareNames(database),
    files: prepareFiles(database),
    tokens: prepareTokens(database),
    calls: prepareCalls(database),
    approvals: prepareApprovals(database),
    counters: prepareCounters(database),
    taints: prepareTaints(database),
    state: prepareState(database),
    alerts: prepareAlerts(database),
    agents: prepareAgents(database),
    secrets: prepareSecrets(database),
    runs: prepareRuns(database),
  };
}

export class WorkspaceRows implements Transaction {
  readonly workspace: WorkspaceId;
  readonly processes: SqliteProcessTable;
  readonly events: SqliteEventTable;
  readonly grants: SqliteGrantTable;
  readonly ledger: SqliteLedgerTable;
  readonly queue: SqliteQueueTable;
  readonly mail: SqliteMailTable;
  readonly names: SqliteNameTable;
  readonly files: SqliteFileTable;
  readonly tokens: SqliteTokenTable;
  readonly calls: SqliteCallTable;
  readonly approvals: SqliteApprovalTable;
  readonly counters: SqliteCounterTable;
  readonly taints: SqliteTaintTable;
  readonly state: SqliteStateTable;
  readonly alerts: SqliteAlertTable;
  readonly agents: SqliteAgentTable;
  readonly secrets: SqliteSecretTable;
  readonly runs: SqliteRunTable;
  now = 0;
  #appended: EventRecord[] = [];
  #bytes = 0;

  constructor(workspace: WorkspaceId, ws: number, statements: Statements, counters: Counters) {
    this.workspace = workspace;
    const context: TableContext = { ws, counters, now: () => this.now, appended: (event, bytes) => this.#append(event, bytes) };
    this.processes = new SqliteProcessTable(statements.processes, context);
    this.events = new SqliteEventTable(statements.events, context);
    this.grants = new SqliteGrantTable(statements.grants, context);
    this.ledger = new SqliteLedgerTable(statements.ledger, context, this.processes);
    this.queue = new SqliteQueueTable(statements.queue, context);
    this.mail = new SqliteMailTable(statements.mail, context);
    this.names = new SqliteNameTable(statements.names, context);
    this.files = new SqliteFileTable(statements.files, context);
    this.tokens = new SqliteTokenTable(statements.tokens, { workspace: { id: workspace, ws }, now: context.now });
    this.calls = new SqliteCallTable(statements.calls, context);
    this.approvals = new SqliteApprovalTable(statements.approvals, context);
    this.counters = new SqliteCounterTable(statements.counters, context);
    this.taints = new SqliteTaintTable(statements.taints, context);
    this.state = new SqliteStateTable(statements.state, context);
    this.alerts = new SqliteAlertTable(statements.alerts, context);
    this.agents = new SqliteAgentTable(statements.agents, context);
    this.secrets = new SqliteSecretTable(statements.secrets, context);
    this.runs = new SqliteRunTable(statements.runs, context);
  }

  /** Runs a body at this time. Its events are those it appended. */
  run<T>(
    now: number,
    body: (transaction: Transaction) => T,
  ): { readonly value: T; readonly events: readonly EventRecord[]; readonly bytes: number } {
    this.now = now;
    this.#appended = [];
    this.#bytes = 0;
    const value = body(this);
    return { value, events: this.#appended, bytes: this.#bytes };
  }

  #append(event: EventRecord, bytes: number): void {
    this.#appended.push(event);
    this.#bytes += bytes;
  }
}
