/** The example in docs/client.md, as it stands there, against a real daemon. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTestGateway } from '../../packages/gateway/src/test-support/open-test-gateway.ts';
import { ROOT } from '../boundaries/read-tree.ts';

it('the example in docs/client.md does what it says', async () => {
  const [, example = ''] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(ROOT, 'docs/client.md'), 'utf8')) ?? [];
  await using gateway = await openTestGateway({ hasPlatform: true });
  await gateway.call('agent.start', { agent: 'builder', tool_grants: ['*'] });
  const token = await gateway.tokenFor({ kind: 'operator' });
  // Below the packages, where the name is found; and `await using` is not for every Node, so types and all are taken away as in a build.
  const directory = mkdtempSync(join(ROOT, 'packages/cli', '.example-'));
  try {
    writeFileSync(join(directory, 'example.mts'), example);
    const env = { WARREN_URL: `http://127.0.0.1:${gateway.port}`, WARREN_TOKEN: token };
    const child = spawn(process.execPath, ['--conditions=warren-source', join(directory, 'example.mts')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (piece: Buffer) => (said += String(piece)));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(said).toContain('agent builder\n');
    expect(said).toContain('no process { pid: 4711 }\n');
    expect(said).toContain('event 1 ');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
