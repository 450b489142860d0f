import type { Migration } from '../migration.ts';
import { AGENTS } from './agents.ts';
import { PENDING_OF_AGENTS } from './approvals.ts';
import { ENDINGS } from './calls.ts';
import { PROCESS_EVENTS } from './events.ts';
import { LABELS } from './labels.ts';
import { PEOPLE } from './people.ts';
import { TOKEN_HOLDERS } from './tokens.ts';

export const GATEWAY: Migration = {
  number: 3,
  name: 'gateway',
  sql: [AGENTS, PEOPLE, TOKEN_HOLDERS, PENDING_OF_AGENTS, PROCESS_EVENTS, ENDINGS, LABELS].join(''),
};
