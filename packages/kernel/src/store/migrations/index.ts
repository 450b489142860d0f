import { KERNEL } from './0001/index.ts';
import { GATE } from './0002/index.ts';
import { GATEWAY } from './0003/index.ts';
import { WORKSPACES } from './0004/index.ts';
import { RUNS_OF_AGENTS } from './0005/index.ts';
import type { Migration } from './migration.ts';

/** In order, without gaps. */
export const MIGRATIONS: readonly Migration[] = [KERNEL, GATE, GATEWAY, WORKSPACES, RUNS_OF_AGENTS];
