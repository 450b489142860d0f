/** The simulator finds what is wrong: defects of every kind, planted where a kernel can be seen through, in its files and in what is expected of it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Kernel, WorkspaceKernel } from '@warren/kernel';
import { describe, expect, it, vi } from 'vitest';
import type { Part } from './part.ts';
import { PARTS } from './parts/index.ts';
import { runSchedule, type ScheduleOptions } from './run-schedule.ts';

vi.setConfig({ testTimeout: 300_000 });

const SCHEDULES_MAX = 200;
const SEED = 4_000_000;

/** What the first schedule that notices says. */
async function find(options: ScheduleOptions): Promise<string> {
  for (let seed = SEED; seed < SEED + SCHEDULES_MAX; seed++) {
    try {
      await runSchedule(seed, options);
    } catch (error) {
      return String(error);
    }
  }
  return `nothing in ${SCHEDULES_MAX} schedules`;
}

describe('a kernel', () => {
  it.each<[string, (kernel: Kernel) => Kernel, RegExp]>([
    ['answers before it has written', answersEarly, /told what is not recorded/],
    ['says that it did what it did not', claimsToUnregister, /told what is not recorded/],
    ['lets anybody complete who once had the work', ignoresFences, /told what is not recorded/],
    ['hands out the same work twice', claimsTwice, /told what is not recorded|can be had|waits for work/],
    ['forgets acknowledgements', forgetsAcknowledgements, /told what is not recorded/],
    ['lets sleep who waits for work', oversleeps, /Somebody waits for work although there is some/],
  ])('that %s is found', async (_, wrap, message) => {
    expect(await find({ wrap })).toMatch(message);
  });

  it('on a disk that forgets what it confirmed is found', async () => {
    expect(await find({ isDiskLying: true })).toMatch(/what was acknowledged is there/);
  });
});

describe('a store', () => {
  it.each<[string, string, RegExp]>([
    ['lost an event', 'DELETE FROM events WHERE id = 2', /what was acknowledged is there/],
    ['changed an event', `UPDATE events SET payload = '{}' WHERE id = 2`, /what was acknowledged is there/],
    ['revived a process', `UPDATE processes SET state = 'READY' WHERE state = 'DEAD'`, /processes: what the kernel holds/],
    ['lost a grant', 'DELETE FROM grants WHERE grant_id = 1', /grants: what the kernel holds/],
    ['widened a grant', `UPDATE grants SET tools = '["*"]'`, /grants: what the kernel holds/],
    ['forgot what was used', 'UPDATE ledger SET used = used - 1 WHERE used > 0', /ledger: what the kernel holds/],
    ['keeps a reservation', 'UPDATE ledger SET reserved = reserved + 1', /ledger: what the kernel holds/],
    ['forgot an attempt', 'UPDATE queue SET attempts = attempts - 1 WHERE attempts > 0', /queue: what the kernel holds/],
    ['lost count of the queue', 'UPDATE queue_totals SET queued = queued + 1', /entries are counted/],
    [
      'lost sight of work',
      'UPDATE lanes SET entry = NULL, rank = NULL',
      /all that waits can be had|waits for a process alone can be had|was claimed before/,
    ],
    ['holds work for no reason', 'UPDATE lanes SET is_admitted = 0', /(?:waits for a process alone|runs that wait) can be had/],
    ['lost a step', 'DELETE FROM run_steps WHERE seq = 1', /runs: what the kernel holds|counts the bytes/],
    ['forgot what a run used', 'UPDATE runs SET tokens = tokens + 1', /runs: what the kernel holds/],
    [
      'lets a run sleep',
      `UPDATE runs SET entry = NULL, waits_for = '{}' WHERE ended_at IS NULL`,
      /runs: what the kernel holds|is the one of a run/,
    ],
    ['lost a message', 'DELETE FROM messages WHERE id % 2 = 0', /mail: what the kernel holds/],
    ['hides mail', 'UPDATE messages SET visible_at = 2000000000000 WHERE visible_at = 0', /all mail that is visible can be had/],
    ['lost a name', 'DELETE FROM names', /names: what the kernel holds|names are counted/],
    ['spoiled a body', 'UPDATE bodies SET data = zeroblob(size) WHERE data IS NOT NULL', /another body than its hash says/],
    ['lost count of bytes', 'UPDATE file_usage SET bytes = bytes + 1', /files: what the kernel holds/],
    ['restored a token', 'UPDATE tokens SET revoked_at = NULL', /tokens: what the kernel holds/],
  ])('that %s is found', async (_, sql, message) => {
    expect(await find({ tamper: (directory) => change(directory, sql) })).toMatch(message);
  });
});

describe('a model', () => {
  it.each([
    'kernel.process.detached',
    'kernel.grant.narrowed',
    'kernel.ledger.refunded',
    'kernel.queue.released',
    'kernel.run.started',
    'kernel.run.queued',
    'kernel.mail.dead',
    'kernel.name.unregistered',
    'kernel.file.restored',
    'kernel.token.revoked',
  ])('that does not hear of %s finds that the kernel does', async (kind) => {
    expect(await find({ parts: PARTS.map((part) => deafTo(part, kind)) })).toMatch(/failed/);
  });
});

function change(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'kernel.db'));
  try {
    database.exec(`PRAGMA foreign_keys = ON; ${sql}`);
  } finally {
    database.close();
  }
}

function deafTo(part: Part, kind: string): Part {
  return {
    ...part,
    createModel(known) {
      const model = part.createModel(known);
      const hear = model.hear.bind(model);
      return Object.assign(model, { hear: (event: Parameters<typeof hear>[0]) => (event.kind === kind ? undefined : hear(event)) });
    },
  };
}

/** The kernel with some operations of a part replaced. */
function replace<Name extends 'names' | 'queue' | 'mail'>(
  kernel: Kernel,
  name: Name,
  change: (real: WorkspaceKernel[Name]) => Partial<WorkspaceKernel[Name]>,
): Kernel {
  return {
    ...kernel,
    workspace(id) {
      const mine = kernel.workspace(id);
      return { ...mine, [name]: { ...mine[name], ...change(mine[name]) } };
    },
  };
}

function answersEarly(kernel: Kernel): Kernel {
  return replace(kernel, 'names', ({ register }) => ({
    async register(name, pid, options = {}) {
      register(name, pid, options).catch(() => {}); // Whoever asked has been told already.
      return { name, pid, tags: options.tags ?? [], metadata: options.metadata ?? {}, registeredAt: 0 };
    },
  }));
}

function claimsToUnregister(kernel: Kernel): Kernel {
  return replace(kernel, 'names', () => ({ unregister: async () => true }));
}

function ignoresFences(kernel: Kernel): Kernel {
  return replace(kernel, 'queue', ({ complete }) => ({
    complete: async (id, exitKind, options) => await complete(id, exitKind, { ...options, fence: undefined }),
  }));
}

function claimsTwice(kernel: Kernel): Kernel {
  let last: Awaited<ReturnType<WorkspaceKernel['queue']['claim']>> = [];
  return replace(kernel, 'queue', ({ claim }) => ({
    async claim(options) {
      const claims = await claim(options);
      if (claims.length === 0) return last;
      last = claims;
      return claims;
    },
  }));
}

function forgetsAcknowledgements(kernel: Kernel): Kernel {
  return replace(kernel, 'mail', () => ({ acknowledge: async (_, ids) => ids.length }));
}

/** Looks when the time is over, and not when there is something. */
function oversleeps(kernel: Kernel): Kernel {
  const { scheduler } = kernel;
  return {
    ...kernel,
    scheduler: {
      tick: () => scheduler.tick(),
      async claim({ waitMs = 0, ...options }, signal) {
        const claims = await scheduler.claim(options, signal);
        if (claims.length > 0 || waitMs === 0) return claims;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        return await scheduler.claim(options, signal);
      },
    },
  };
}
