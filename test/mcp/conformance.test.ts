/**
 * The official conformance suite against a real gateway, with a fixture behind the protocol that has what the suite looks for. Everything a revision requires has to
 * pass, and of what is run besides all but the extension for tasks, which is not offered. There is no list of expected failures.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { FixtureHost } from '../../packages/gateway/src/mcp/test-support/fixture-host.ts';
import { openFront } from '../../packages/gateway/src/mcp/test-support/open-front.ts';
import { openTestGateway } from '../../packages/gateway/src/test-support/open-test-gateway.ts';

const SUITE = resolve(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance/dist/index.js');
/** Not a part of any revision. */
const EXTENSION = /^tasks-/;

type Check = { readonly id: string; readonly status: string; readonly errorMessage?: string };
type Ran = { readonly scenario: string; readonly checks: readonly Check[] };

for (const { revision, scenariosMin } of [
  { revision: '2025-11-25', scenariosMin: 33 },
  { revision: '2026-07-28', scenariosMin: 40 },
]) {
  test(`every scenario for servers of ${revision} passes`, { timeout: 300_000 }, async () => {
    const host = new FixtureHost();
    await using on = await openTestGateway({ mcp: { openHost: async () => host } });
    await using front = await openFront(on.port, await on.tokenFor({ kind: 'operator' }));
    const { code, ran, output } = await runSuite(front.url, revision);
    const bad = ran
      .filter(({ scenario }) => !EXTENSION.test(scenario))
      .flatMap(({ scenario, checks }) =>
        checks
          .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
          .map(({ id, status, errorMessage = '' }) => `${scenario}: ${id} ${status} ${errorMessage}`),
      );
    expect(bad).toEqual([]);
    expect(code, output).toBe(0);
    expect(ran.filter(({ scenario }) => !EXTENSION.test(scenario)).length).toBeGreaterThanOrEqual(scenariosMin);
    expect(on.logged.filter((line) => line.includes('A request of MCP failed'))).toEqual([]);
  });
}

async function runSuite(
  url: string,
  revision: string,
): Promise<{ readonly code: number; readonly ran: readonly Ran[]; readonly output: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-conformance-'));
  try {
    const argv = [SUITE, 'server', '--url', url, '--requirements', revision, '--output-dir', directory];
    const suite = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors, [code]] = await Promise.all([text(suite.stdout), text(suite.stderr), once(suite, 'close')]);
    return { code: Number(code), ran: readChecks(directory), output: output + errors };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A folder for each scenario, named after it and the moment it ran. */
function readChecks(directory: string): readonly Ran[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('checks.json'))
    .map((path) => ({
      scenario:
        path
          .split('/')
          .at(-2)
          ?.replace(/^server-(.*)-\d{4}-\d\d-\d\dT.*$/, '$1') ?? path,
      checks: JSON.parse(readFileSync(join(directory, path), 'utf8')) as readonly Check[], // The suite wrote it.
    }));
}
