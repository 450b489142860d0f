/** Repositories that were made to run something, or to lead git elsewhere. Each trap leaves `/workspace/pwned` when it springs. */
import { symlinkSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CapabilityError } from '../../capability/handler.ts';
import { AgentFixture } from '../process/test-support/agent-fixture.ts';
import { gitHandlers as handlers } from './git-handlers.ts';

vi.setConfig({ testTimeout: 120_000 }); // A dozen calls each, some thirty processes.

let agent: AgentFixture;
beforeAll(async () => {
  agent = await AgentFixture.start();
});
afterAll(() => agent[Symbol.asyncDispose]());
afterEach(async () => {
  expect(await agent.shell('ls /workspace/pwned 2>/dev/null || echo none; rm -f /workspace/pwned')).toBe('none\n');
});

const TRAP = '/workspace/trap';
let made = 0;

/** A repository with a history to pull, push, merge and check out, and a script that springs. */
async function victim(): Promise<string> {
  const path = `victim-${++made}`;
  await agent.shell(`
    printf '#!/bin/sh\\ntouch /workspace/pwned\\ncat\\n' > trap; chmod +x trap
    export HOME=/tmp GIT_AUTHOR_NAME=v GIT_AUTHOR_EMAIL=v GIT_COMMITTER_NAME=v GIT_COMMITTER_EMAIL=v
    git init -q -b main ${path}; cd ${path}; echo a > a.txt; git add .; git commit -qm one
    git clone -q --bare . ../${path}.git; git remote add origin /workspace/${path}.git
    git checkout -q -b side; echo side > side.txt; git add .; git commit -qm side; git push -q origin side:main
    git checkout -q main; echo b >> a.txt; echo new > new.txt`);
  return path;
}

/** Every capability, one after the other. What each answers is not the point. */
async function useAll(path: string): Promise<readonly string[]> {
  const calls: readonly (readonly [string, JsonObject])[] = [
    ['git.status', { path }],
    ['git.diff', { path, patch: true }],
    ['git.diff', { path, patch: true, commit: 'side' }],
    ['git.log', { path }],
    ['git.branch', { path, action: 'create', name: 'more' }],
    ['git.commit', { path, message: 'all' }],
    ['git.branch', { path, action: 'switch', name: 'side' }],
    ['git.checkout', { path, ref: 'main' }],
    ['git.pull', { path }],
    ['git.push', { path }],
    ['git.clone', { url: `/workspace/${path}`, path: `${path}-copy` }],
    ['git.init', { path }],
  ];
  const outcomes: string[] = [];
  for (const [name, input] of calls) {
    const outcome = await agent.act(handlers, name, input).catch((error: unknown) => error);
    if (outcome instanceof Error && !(outcome instanceof CapabilityError)) throw outcome;
    outcomes.push(outcome instanceof CapabilityError ? `${name}: ${outcome.type}` : name);
  }
  return outcomes;
}

const ALL_WELL = [
  ...['git.status', 'git.diff', 'git.diff', 'git.log', 'git.branch', 'git.commit', 'git.branch', 'git.checkout', 'git.pull', 'git.push'],
  ...['git.clone', 'git.init'],
];

describe('configuration that names programs', () => {
  it.each<[string, readonly string[]]>([
    ['core.fsmonitor', ['core.fsmonitor']],
    ['diff.external and text conversion', ['diff.external', 'diff.evil.command', 'diff.evil.textconv']],
    [
      'filters',
      ['filter.evil.clean', 'filter.evil.smudge', 'filter.evil.process', 'filter.lfs.smudge', 'filter.lfs.clean', 'filter.lfs.process'],
    ],
    ['merge drivers', ['merge.evil.driver', 'merge.default']],
    [
      'editors, pagers and askpass',
      ['core.editor', 'core.pager', 'pager.log', 'pager.diff', 'pager.status', 'core.askPass', 'sequence.editor'],
    ],
    ['signing', ['gpg.program', 'gpg.ssh.program', 'gpg.x509.program', 'gpg.ssh.defaultKeyCommand']],
    [
      'transports',
      [
        'core.sshCommand',
        'core.gitProxy',
        'remote.origin.uploadpack',
        'remote.origin.receivepack',
        'remote.origin.vcs',
        'credential.helper',
      ],
    ],
    [
      'both ends of a remote',
      ['uploadpack.packObjectsHook', 'core.alternateRefsCommand', 'trailer.x.command', 'trailer.x.cmd', 'browser.x.cmd', 'man.x.cmd'],
    ],
    ['aliases of commands', ['alias.status', 'alias.log', 'alias.commit']],
  ])('%s', async (_, keys) => {
    const path = await victim();
    const settings = (where: string) =>
      keys.map((key) => `git -C ${where} config ${key} ${key.startsWith('alias') ? `'!${TRAP}'` : TRAP}`).join('\n');
    await agent.shell(`
      ${settings(path)}
      ${settings(`${path}.git`)}
      git -C ${path} config commit.gpgSign true; git -C ${path} config tag.gpgSign true; git -C ${path} config log.showSignature true
      printf '* filter=evil diff=evil merge=evil\\n*.txt filter=lfs\\n' | tee ${path}/.gitattributes > ${path}/.git/info/attributes`);
    expect(await useAll(path)).toEqual(ALL_WELL);
  });

  it('hooks, wherever they are', async () => {
    const path = await victim();
    const names =
      'pre-commit prepare-commit-msg commit-msg post-commit pre-push post-checkout post-merge pre-merge-commit post-rewrite reference-transaction post-index-change fsmonitor-watchman pre-receive update post-receive post-update proc-receive push-to-checkout pre-auto-gc';
    await agent.shell(`
      mkdir hooks-${made}
      for hook in ${names}; do for where in ${path}/.git/hooks ${path}.git/hooks hooks-${made}; do cp trap $where/$hook; done; done
      git -C ${path} config core.hooksPath /workspace/hooks-${made}; git -C ${path}.git config core.hooksPath /workspace/hooks-${made}
      git -C ${path}.git config receive.procReceiveRefs refs/heads`);
    expect(await useAll(path)).toEqual(ALL_WELL);
  });

  it('includes, and configurations planted where a home might be', async () => {
    const path = await victim();
    await agent.shell(`
      printf '[core]\\n\\tfsmonitor = ${TRAP}\\n\\tsshCommand = ${TRAP}\\n[diff]\\n\\texternal = ${TRAP}\\n' > evil.config
      git -C ${path} config include.path /workspace/evil.config
      git -C ${path} config includeIf.gitdir:/**.path /workspace/evil.config
      git -C ${path} config extensions.worktreeConfig true; cp evil.config ${path}/.git/config.worktree
      for home in /home/agent /tmp; do cp evil.config $home/.gitconfig; mkdir -p $home/.config/git; cp evil.config $home/.config/git/config; done
      printf '* filter=evil\\n' > /home/agent/.config/git/attributes`);
    expect(await useAll(path)).toEqual(ALL_WELL);
    await agent.shell('rm -rf /home/agent/.gitconfig /home/agent/.config /tmp/.gitconfig /tmp/.config');
  });

  it('a repository that is one of its submodules', async () => {
    const path = await victim();
    await agent.shell(`
      cd ${path}; export HOME=/tmp
      git init -q sub; cd sub; echo x > x; git add .; git -c user.name=x -c user.email=x commit -qm x; cd ..
      git add sub 2>/dev/null; printf '[submodule "sub"]\\n\\tpath = sub\\n\\turl = ./sub\\n\\tignore = none\\n\\tupdate = !${TRAP}\\n' > .gitmodules
      git add .gitmodules; git -c user.name=x -c user.email=x commit -qm sub
      git config submodule.sub.update '!${TRAP}'; git config submodule.recurse true; git config diff.submodule diff; git config status.submoduleSummary true
      git -C sub config core.fsmonitor ${TRAP}; git -C sub config diff.external ${TRAP}; cp ../trap sub/.git/hooks/post-checkout; echo y >> sub/x; echo b >> a.txt`);
    const outcomes = await useAll(path);
    expect(outcomes.slice(0, 6)).toEqual(ALL_WELL.slice(0, 6));
  });
});

describe('repositories that lead elsewhere', () => {
  const refusesAll = async (path: string): Promise<void> => {
    for (const [name, more] of [
      ['status', {}],
      ['diff', {}],
      ['log', {}],
      ['commit', { message: 'x' }],
      ['branch', { action: 'list' }],
      ['checkout', { ref: 'main' }],
      ['pull', {}],
      ['push', {}],
      ['init', {}],
    ] as const) {
      expect((await agent.fail(handlers, `git.${name}`, { path, ...more })).type, name).toBe('PathOutOfScope');
    }
  };

  it('a link on the way, or instead of .git, or inside it', async () => {
    const path = await victim();
    await agent.shell(`
      ln -s ${path} link-${made}
      mkdir linked-${made} filed-${made} inner-${made} odd-${made}; ln -s ../${path}/.git linked-${made}/.git; echo "gitdir: /workspace/${path}/.git" > filed-${made}/.git
      mkdir inner-${made}/.git; for part in HEAD objects refs config; do ln -s ../../${path}/.git/$part inner-${made}/.git/$part; done
      cp -r ${path}/.git odd-${made}/.git; echo ../../${path}/.git > odd-${made}/.git/commondir`);
    for (const name of ['link', 'linked', 'filed', 'inner', 'odd']) await refusesAll(`${name}-${made}`);
  });

  it('a link that leads out of the sandbox leads nowhere', async () => {
    const path = await victim();
    symlinkSync('/etc/passwd', `${agent.directory}/${path}/.git/description-link`);
    symlinkSync('/', `${agent.directory}/outside-${made}`);
    expect((await agent.fail(handlers, 'git.status', { path: `outside-${made}` })).type).toBe('PathOutOfScope');
    expect((await agent.fail(handlers, 'git.clone', { url: `/workspace/outside-${made}/x`, path: 'y' })).type).toMatch(
      /CloneFailed|PathOutOfScope/,
    );
  });

  it('core.worktree, alternates and replaced objects change nothing outside', async () => {
    const path = await victim();
    await agent.shell(`mkdir elsewhere-${made}; echo mine > elsewhere-${made}/a.txt
      git -C ${path} config core.worktree /workspace/elsewhere-${made}; echo /etc > ${path}/.git/objects/info/alternates`);
    await useAll(path);
    expect(await agent.shell(`ls elsewhere-${made}; cat elsewhere-${made}/a.txt`)).toBe('a.txt\nmine\n');
  });

  it('a bare repository in the tree is no repository to work in', async () => {
    const path = await victim();
    await agent.shell(`cp -r ${path}.git ${path}/bare; git -C ${path}/bare config core.fsmonitor ${TRAP}`);
    expect((await agent.fail(handlers, 'git.status', { path: `${path}/bare` })).type).toBe('NotARepository');
    expect((await agent.fail(handlers, 'git.status', { path: `${path}.git` })).type).toBe('NotARepository');
  });
});

describe('repositories that are broken or too much', () => {
  it.each([
    ['a configuration that is no text', 'head -c 100000 /dev/urandom > .git/config'],
    ['a configuration that is endless', 'yes "[a]" | head -c 1000000 > .git/config'],
    ['a configuration that is a pipe', 'rm .git/config; mkfifo .git/config'],
    ['an extension nobody knows', 'git config extensions.fancy true; git config core.repositoryFormatVersion 1'],
    ['no HEAD', 'rm .git/HEAD'],
    ['a HEAD that is a directory', 'rm .git/HEAD; mkdir .git/HEAD'],
    ['an index of garbage', 'head -c 5000 /dev/urandom > .git/index'],
    ['refs of garbage', 'head -c 100 /dev/urandom > .git/refs/heads/main; head -c 100 /dev/urandom > .git/packed-refs'],
  ])('%s', async (_, damage) => {
    const path = await victim();
    await agent.shell(`cd ${path}; ${damage}`);
    for (const outcome of await useAll(path)) expect(outcome).not.toMatch(/Internal/);
  });

  it('refs named like options are listed, and never taken for them', async () => {
    const path = await victim();
    await agent.shell(
      `cd ${path}; hash=$(git rev-parse HEAD); for name in -x --upload-pack=x --exec=y; do printf '%s\\n' $hash > ".git/refs/heads/$name"; done`,
    );
    await useAll(path);
    for (const name of ['-x', '--upload-pack=x']) {
      expect((await agent.fail(handlers, 'git.push', { path, branch: name })).type).toBe('InvalidInput');
      expect((await agent.fail(handlers, 'git.pull', { path, branch: name })).type).toBe('InvalidInput');
    }
  });

  it('a file that is a pipe does not hold up a commit for ever', async () => {
    const path = await victim();
    await agent.shell(`mkfifo ${path}/pipe`);
    expect(await agent.call(handlers, 'git.status', { path })).toMatchObject({ branch: 'main' });
    expect(await agent.call(handlers, 'git.commit', { path, message: 'x' })).toMatchObject({ branch: 'main' });
  });

  it('a workspace that may only be read takes no repository', async () => {
    await using reader = await AgentFixture.start({}, 'read_only');
    expect((await reader.fail(handlers, 'git.init', { path: 'x' })).type).toBe('InitFailed');
  });
});
