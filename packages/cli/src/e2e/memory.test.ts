/** `warren memory`: what agents remember, for people. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

let gate: GateDaemon;

beforeAll(async () => {
  gate = await GateDaemon.start();
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

it('remembers, finds, explains, lists, shows, exports and forgets', async () => {
  const stored = await gate.warren(['memory', 'store', 'Releases are cut on Tuesdays\u001b[2J', '--tag', 'release', '--source', 'ann']);
  const id = stored.stdout.trim();
  expect([stored.code, id]).toEqual([0, expect.stringMatching(/^mem_[0-9a-z]+$/)]);
  const again = await gate.warren(['memory', 'store', 'Releases are cut on Tuesdays\u001b[2J']);
  expect([again.stdout.trim(), again.stderr]).toEqual([id, 'warren: it was there already\n']);
  await gate.warren(['memory', 'store', 'Lunch is at noon', '--expires', '1h']);

  const found = await gate.warren(['memory', 'search', 'when', 'are', 'releases', 'cut', '--explain']);
  expect(found.stdout).toMatch(
    new RegExp(
      `^\\d\\.\\d{3}  ${id}  ann\n +text \\d\\.\\d{3} \\(releases cut\\), vector none, × age 1.000 × importance 1.00\n +Releases are cut`,
    ),
  );
  expect(found.stdout).not.toContain('\u001b');
  expect((await gate.warren(['memory', 'search', 'quokka'])).code).toBe(1);
  expect(await gate.json(['memory', 'list', '--tag', 'release'])).toMatchObject({ count: 2, memories: [{ memory_id: id }] });
  expect((await gate.warren(['memory', 'list'])).stdout).toContain('Lunch is at noon');
  expect((await gate.warren(['memory', 'show', id])).stderr).toContain('from ann');
  const lines = (await gate.warren(['memory', 'export'])).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).text)).toEqual(['Lunch is at noon', 'Releases are cut on Tuesdays\u001b[2J']);

  expect((await gate.warren(['memory', 'forget', id])).code).toBe(0);
  expect((await gate.warren(['memory', 'forget', id])).code).toBe(1);
  expect((await gate.warren(['memory', 'show', id])).code).not.toBe(0);
  const none = await gate.warren(['memory', 'list', '--workspace', 'none']);
  expect([none.code === 0, none.stderr]).toEqual([false, expect.stringContaining('workspace create none')]);
});
