import type { Migration } from '../migration.ts';
import { EVENTS } from './events.ts';
import { FILES } from './files.ts';
import { GRANTS } from './grants.ts';
import { LEDGER } from './ledger.ts';
import { MAIL } from './mail.ts';
import { NAMES } from './names.ts';
import { PROCESSES } from './processes.ts';
import { QUEUE } from './queue.ts';
import { TOKENS } from './tokens.ts';
import { WORKSPACES } from './workspaces.ts';

export const KERNEL: Migration = {
  number: 1,
  name: 'kernel',
  sql: [WORKSPACES, TOKENS, PROCESSES, EVENTS, GRANTS, LEDGER, QUEUE, MAIL, NAMES, FILES].join(''),
};
