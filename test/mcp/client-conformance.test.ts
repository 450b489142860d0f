/** The official conformance suite with Warren as the client, through the egress guard: every scenario that a revision requires passes. There is no list of expected failures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const PACKAGE = resolve(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance');
const CLIENT = `${process.execPath} --conditions=warren-source ${resolve(import.meta.dirname, 'conformance-client.ts')}`;

function scenariosOf(revision: string): readonly string[] {
  const required = readFileSync(`${PACKAGE}/requirements/${revision}.yaml`, 'utf8');
  const [, list = ''] = /^client:\n((?: +- .*\n)+)/m.exec(required) ?? [];
  return [...list.matchAll(/- (\S+)/g)].map(([, name = '']) => name);
}

describe.each([
  { revision: '2025-11-25', scenariosMin: 18 },
  { revision: '2026-07-28', scenariosMin: 32 },
])('as a client of $revision', ({ revision, scenariosMin }) => {
  const scenarios = scenariosOf(revision);

  it('has all that is required', () => {
    expect(scenarios.length).toBeGreaterThanOrEqual(scenariosMin);
  });

  it.each(scenarios)('%s passes', { timeout: 120_000 }, async (scenario) => {
    const argv = ['client', '--scenario', scenario, '--spec-version', revision, '--command', CLIENT, '--timeout', '60000'];
    const suite = spawn(process.execPath, [`${PACKAGE}/dist/index.js`, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors] = await Promise.all([text(suite.stdout), text(suite.stderr), once(suite, 'close')]);
    expect(output + errors).toContain('OVERALL: PASSED');
  });
});
