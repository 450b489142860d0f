import type { Migration } from '../migration.ts';
import { PENDING_OF_AGENTS } from './approvals.ts';
import { PROCESS_EVENTS } from './events.ts';
import { TOKEN_OWNERS } from './tokens.ts';

export const PEOPLE: Migration = {
  number: 3,
  name: 'people',
  sql: [TOKEN_OWNERS, PENDING_OF_AGENTS, PROCESS_EVENTS].join(''),
};
