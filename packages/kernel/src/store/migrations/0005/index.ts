import type { Migration } from '../migration.ts';
import { PROGRAMS } from './agents.ts';
import { LANES } from './lanes.ts';
import { RUNS } from './runs.ts';

export const RUNS_OF_AGENTS: Migration = { number: 5, name: 'runs', sql: [RUNS, PROGRAMS, LANES].join('') };
