import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { createClock } from '../../internal/clock.ts';
import { testAgents } from '../conformance/agents.ts';
import { testAlerts } from '../conformance/alerts.ts';
import { testApprovals } from '../conformance/approvals.ts';
import { testCalls } from '../conformance/calls.ts';
import type { OpenStore } from '../conformance/conformance.ts';
import { testCounters } from '../conformance/counters.ts';
import { testEvents } from '../conformance/events.ts';
import { testFiles } from '../conformance/files.ts';
import { testGrants } from '../conformance/grants.ts';
import { testLedger } from '../conformance/ledger.ts';
import { testMail } from '../conformance/mail.ts';
import { testNames } from '../conformance/names.ts';
import { testPeople } from '../conformance/people.ts';
import { testQueue } from '../conformance/queue.ts';
import { testRuns } from '../conformance/runs.ts';
import { testSecrets } from '../conformance/secrets.ts';
import { testState } from '../conformance/state.ts';
import { testTaints } from '../conformance/taints.ts';
import { testTokens } from '../conformance/tokens.ts';
import { testTransactions } from '../conformance/transactions.ts';
import { openSqliteStore } from './sqlite-store.ts';

const open: OpenStore = async (options = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-store-'));
  const openHere = () => openSqliteStore({ directory, clock: createClock(), ...options });
  let store = openHere();
  await store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: DEFAULT_WORKSPACE, createdAt: now, settings: {} }));
  return {
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = openHere();
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

testTransactions('SQLite', open);
testEvents('SQLite', open);
testTokens('SQLite', open);
testAgents('SQLite', open);
testSecrets('SQLite', open);
testRuns('SQLite', open);
testPeople('SQLite', open);
testGrants('SQLite', open);
testLedger('SQLite', open);
testFiles('SQLite', open);
testQueue('SQLite', open);
testMail('SQLite', open);
testNames('SQLite', open);
testCalls('SQLite', open);
testApprovals('SQLite', open);
testCounters('SQLite', open);
testTaints('SQLite', open);
testState('SQLite', open);
testAlerts('SQLite', open);
