import type { Migration } from '../migration.ts';
import { SECRETS } from './secrets.ts';

export const WORKSPACES: Migration = { number: 4, name: 'workspaces', sql: [SECRETS].join('') };
