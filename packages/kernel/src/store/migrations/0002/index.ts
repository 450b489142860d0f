import type { Migration } from '../migration.ts';
import { ALERTS } from './alerts.ts';
import { APPROVALS } from './approvals.ts';
import { CALLS } from './calls.ts';
import { COUNTERS } from './counters.ts';
import { STATE } from './state.ts';
import { TAINTS } from './taints.ts';
import { TOKEN_GROUPS } from './tokens.ts';

export const GATE: Migration = {
  number: 2,
  name: 'gate',
  sql: [CALLS, APPROVALS, COUNTERS, TAINTS, STATE, ALERTS, TOKEN_GROUPS].join(''),
};
