import { existsSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { expect, vi } from 'vitest';
import { type Agent, shareAgents } from './agents.ts';
import { proves } from './proves.ts';

vi.setConfig({ testTimeout: 120_000 }); // Dozens of commands each.

const agents = shareAgents();

let made = 0;
/** A repository of one commit with `a.txt`. */
async function repository(agent: Agent): Promise<string> {
  const path = `/workspace/repo${++made}`;
  await agent.shell(
    `git init -q -b main ${path}; cd ${path}; printf 'one\\n' > a.txt; git add .; git -c user.name=v -c user.email=v@v commit -qm first`,
  );
  return path;
}

proves('tool:git', async () => {
  const agent = await agents().agent();
  const path = await repository(agent);
  expect(await agent.call('git.status', { path })).toMatchObject({ branch: 'main', state: 'clean', unstaged: [], untracked: [] });
  const { commits } = await agent.call('git.log', { path, limit: 1 });
  expect(commits).toMatchObject([{ message: expect.stringContaining('first') }]);
  await agent.shell(`cd ${path}; echo two >> a.txt`);
  expect(await agent.call('git.diff', { path, patch: true })).toMatchObject({ files_changed: 1, patch: expect.stringContaining('+two') });
});

proves('tool:git', 'what is no name of a branch, commit or file is refused, and nothing outside is read', async () => {
  const agent = await agents().agent();
  const path = await repository(agent);
  await agent.shell('echo outside > /workspace/outside-a; echo other > /workspace/outside-b');
  const smuggled: readonly (readonly [string, JsonObject])[] = [
    ['git.diff', { path, commit: '--ext-diff' }],
    ['git.diff', { path, commit: '--output=/workspace/pwned' }],
    ['git.diff', { path, patch: true, files: ['/workspace/outside-a', '/workspace/outside-b'] }],
    ['git.diff', { path, patch: true, files: ['../outside-a'] }],
    ['git.log', { path, branch: '--exec-path=/tmp' }],
    ['git.log', { path, branch: 'main;id' }],
    ['git.checkout', { path, ref: '--detach' }],
    ['git.branch', { path, action: 'create', name: '-f' }],
    ['git.clone', { url: 'ext::sh -c "touch /workspace/pwned"', path: '/workspace/cloned' }],
    ['git.status', { path: 'relative' }],
  ];
  for (const [capability, input] of smuggled) {
    const answer = await agent.ask(capability, input);
    if (capability !== 'git.status') expect(JSON.stringify(answer), JSON.stringify(input)).not.toMatch(/outside\\n|other\\n/);
    expect(answer.kind, `${capability} ${JSON.stringify(input)}`).toBe('failed');
  }
  expect(existsSync(agents().files('pwned'))).toBe(false);
});

proves('tool:git', 'who may only read a repository does not change it', async () => {
  const owner = await agents().agent();
  const path = await repository(owner);
  const reader = await agents().agent({ paths: [{ prefix: '/workspace', mode: 'r' }] });
  expect(await reader.call('git.log', { path })).toMatchObject({ total_returned: 1 });
  expect(
    await reader.errorsOf([
      ['git.commit', { path, message: 'mine' }],
      ['git.branch', { path, action: 'create', name: 'mine' }],
      ['git.checkout', { path, ref: 'mine', create: true }],
    ]),
  ).toEqual(['PathOutOfScope', 'PathOutOfScope', 'PathOutOfScope']);
  const lister = await agents().agent({ tools: ['git.status', 'git.log', 'git.diff'] });
  expect(await lister.errorOf('git.push', { path })).toBe('GrantMissing');
});

proves('tool:git-inert', async () => {
  const agent = await agents().agent();
  const path = await repository(agent);
  const trap = '/workspace/trap.sh';
  writeFileSync(agents().files('trap.sh'), '#!/bin/sh\ntouch /workspace/pwned\ncat\n', { mode: 0o755 });
  await agent.shell(`cd ${path}
    git config core.fsmonitor ${trap}; git config diff.external ${trap}; git config core.pager ${trap}; git config core.editor ${trap}
    git config filter.evil.clean ${trap}; git config filter.evil.smudge ${trap}; git config diff.evil.textconv ${trap}
    git config core.hooksPath /workspace/hooks; mkdir -p /workspace/hooks; cp ${trap} /workspace/hooks/pre-commit; cp ${trap} /workspace/hooks/post-checkout
    echo '*.txt filter=evil diff=evil' > .gitattributes; echo more >> a.txt`);
  const calls: readonly (readonly [string, JsonObject])[] = [
    ['git.status', { path }],
    ['git.diff', { path, patch: true }],
    ['git.log', { path }],
    ['git.commit', { path, message: 'all' }],
    ['git.branch', { path, action: 'create', name: 'side' }],
    ['git.checkout', { path, ref: 'side' }],
  ];
  for (const [capability, input] of calls) {
    await agent.ask(capability, input);
    expect(existsSync(agents().files('pwned')), capability).toBe(false);
  }
  // The trap does spring where nobody disarms it.
  await agent.shell(`cd ${path}; git -c safe.directory='*' status >/dev/null 2>&1 || true`);
  expect(existsSync(agents().files('pwned'))).toBe(true);
});
