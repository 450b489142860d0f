/** `daemon.*` and `store.*`: the program itself and what it keeps. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { OPERATOR } from '../scope.ts';
import { withDefault } from '../value/absent.ts';
import { listOf } from '../value/list.ts';
import { int, milliseconds, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

const HOUR_MS = 3_600_000;

export const DAEMON_OPERATIONS = {
  'daemon.status': operation({
    summary: 'Says how the daemon is and where it listens',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: z.object({
      version: word,
      /** Of the operating system, not of the process table. */
      system_pid: int,
      state: z.enum(['running', 'draining']),
      started_at: seconds,
      uptime_s: seconds,
      addresses: listOf(word),
      /** SHA-256 of the certificate; null without TLS. */
      fingerprint: word.nullable(),
      connections: int,
      workspaces: int,
      schema_version: int,
      store_bytes: int,
    }),
    faults: ['store_failed'],
  }),
  'daemon.stop': operation({
    summary:
      'Has the daemon finish and answer what is under way, for up to `drain_ms`, refuse new calls of capabilities, and end; once more with less time is sooner',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ drain_ms: withDefault(milliseconds(HOUR_MS), 10_000) }),
    result: z.object({ state: z.literal('draining') }),
    faults: [],
  }),
  'store.check': operation({
    summary: 'Looks at every page and every reference of the store, and says what is wrong',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: z.object({ problems: listOf(z.string()) }),
    faults: ['store_failed', 'busy'],
  }),
  'store.backup': operation({
    summary: 'Copies a consistent picture of the store to a new file on the machine of the daemon, while others go on writing',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ path: word }),
    result: z.object({ path: word, bytes: int }),
    faults: ['already_exists', 'not_found', 'store_failed', 'busy', 'storage_full'],
  }),
};
