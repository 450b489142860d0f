import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentFixture } from '../process/test-support/agent-fixture.ts';
import { gitHandlers as handlers } from './git-handlers.ts';

vi.setConfig({ testTimeout: 120_000 }); // Dozens of processes each.

let agent: AgentFixture;
beforeAll(async () => {
  agent = await AgentFixture.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

const HASH = /^[0-9a-f]{40}$/;
let made = 0;
/** A repository with one commit of `a.txt`; its path. */
async function repository(): Promise<string> {
  const path = `repository-${++made}`;
  await agent.call(handlers, 'git.init', { path });
  await agent.shell(`cd ${path}; seq 3 > a.txt`);
  await agent.call(handlers, 'git.commit', { path, message: 'first' });
  return path;
}

describe('git.init', () => {
  it('makes a repository with its directory, once', async () => {
    expect(await agent.call(handlers, 'git.init', { path: 'deep/new', initial_branch: 'trunk' })).toEqual({
      path: '/workspace/deep/new',
      branch: 'trunk',
      created: true,
    });
    expect(await agent.call(handlers, 'git.init', { path: '/workspace/deep/new' })).toMatchObject({ branch: 'trunk', created: false });
    expect(await agent.shell('ls deep/new/.git/hooks 2>/dev/null | wc -l; git -C deep/new config --local --list')).toMatch(
      /^0\n(?!.*worktree)/s,
    );
  });

  it('refuses what is no directory, no branch name and no path of the workspace', async () => {
    await agent.shell('touch file');
    expect((await agent.fail(handlers, 'git.init', { path: 'file' })).type).toBe('InitFailed');
    for (const initial_branch of ['-x', 'a..b', 'a b', 'x.lock', '', '@', 'a\nb', '--upload-pack=x', '.x', 'a/.b', 'a//b', 'HEAD']) {
      expect((await agent.fail(handlers, 'git.init', { path: 'other', initial_branch })).type).toBe('InvalidInput');
    }
    for (const path of ['../x', '/etc', '/', '/workspace/../tmp', 'a\0b', `/workspacex`]) {
      expect((await agent.fail(handlers, 'git.init', { path })).type).toBe('PathOutOfScope');
    }
  });
});

describe('git.status', () => {
  it('tells staged, unstaged, untracked and renamed files with odd names apart', async () => {
    const path = await repository();
    await agent.shell(
      `cd ${path}; echo x > 'with space'; echo y > "$(printf 'tab\\there')"; echo é > 'ünï'; seq 50 > old; git add .; git -c user.name=x -c user.email=y commit -qm more; git mv old new; echo z >> a.txt; echo n > "$(printf 'new\\nline')"; echo q >> 'with space'; git add 'with space'`,
    );
    expect(await agent.call(handlers, 'git.status', { path })).toEqual({
      branch: 'main',
      head_commit: expect.stringMatching(HASH),
      staged: [
        { file: 'new', status: 'renamed' },
        { file: 'with space', status: 'modified' },
      ],
      unstaged: [{ file: 'a.txt', status: 'modified' }],
      untracked: ['new\nline'],
      conflicted: [],
      upstream: null,
      state: 'dirty',
    });
  });

  it('knows an empty repository, and a clean one', async () => {
    await agent.call(handlers, 'git.init', { path: 'empty' });
    expect(await agent.call(handlers, 'git.status', { path: 'empty' })).toMatchObject({
      branch: 'main',
      head_commit: null,
      state: 'clean',
    });
    expect(await agent.call(handlers, 'git.status', { path: await repository() })).toMatchObject({ state: 'clean' });
  });

  it('says where the repository is when the path is inside one, and that there is none', async () => {
    const path = await repository();
    await agent.shell(`mkdir -p ${path}/sub plain`);
    const inside = await agent.fail(handlers, 'git.status', { path: `${path}/sub` });
    expect(inside).toMatchObject({ type: 'NotARepository', context: { repository: `/workspace/${path}` } });
    for (const where of ['plain', 'none', '.'])
      expect((await agent.fail(handlers, 'git.status', { path: where })).type).toBe('NotARepository');
  });
});

describe('git.commit', () => {
  it('commits all or only what is named, in the name of the agent', async () => {
    const path = await repository();
    await agent.shell(`cd ${path}; echo b > b.txt; echo c > c.txt; rm a.txt`);
    expect(await agent.call(handlers, 'git.commit', { path, message: '# kept\n\nbody', files: ['b.txt'] })).toEqual({
      commit_hash: expect.stringMatching(HASH),
      files_committed: 1,
      branch: 'main',
    });
    expect(await agent.call(handlers, 'git.commit', { path, message: 'rest', author_name: 'Grace', author_email: 'g@h.i' })).toMatchObject({
      files_committed: 2,
    });
    const { commits } = await agent.call(handlers, 'git.log', { path });
    expect(commits).toMatchObject([
      { message: 'rest', author_name: 'Grace', author_email: 'g@h.i' },
      { message: '# kept\n\nbody', author_name: 'ada', author_email: 'ada@agents.invalid' },
      { message: 'first' },
    ]);
    expect(await agent.shell(`git -C ${path} log -1 --format=%cn`)).toBe('ada\n');
  });

  it('refuses when there is nothing, for files there are not, and for names git would change', async () => {
    const path = await repository();
    expect((await agent.fail(handlers, 'git.commit', { path, message: 'x' })).type).toBe('NothingToCommit');
    expect(await agent.fail(handlers, 'git.commit', { path, message: 'x', files: ['none'] })).toMatchObject({
      type: 'FileNotFound',
      context: { path: 'none' },
    });
    await agent.shell(`echo x > ${path}/x`);
    for (const file of ['../x', '/etc/passwd', 'a\0b', '']) {
      expect((await agent.fail(handlers, 'git.commit', { path, message: 'x', files: [file] })).type).toBe('PathOutOfScope');
    }
    for (const author_name of ['a\nb', '<x>', '...']) {
      expect((await agent.fail(handlers, 'git.commit', { path, message: 'x', author_name })).type).toBe('InvalidInput');
    }
    expect((await agent.fail(handlers, 'git.commit', { path, message: 'a\0b' })).type).toBe('InvalidInput');
  });

  it('takes names as they are: no patterns, no options, a thousand of them', async () => {
    const path = await repository();
    await agent.shell(
      `cd ${path}; mkdir many; seq 1000 | while read n; do : > many/$n; done; echo s > '*'; echo d > ./--all; echo o > other`,
    );
    expect(await agent.call(handlers, 'git.commit', { path, message: 'odd', files: ['*', '--all'] })).toMatchObject({ files_committed: 2 });
    const files = Array.from({ length: 1_000 }, (_, index) => `many/${index + 1}`);
    expect(await agent.call(handlers, 'git.commit', { path, message: 'many', files })).toMatchObject({ files_committed: 1_000 });
    expect(await agent.call(handlers, 'git.status', { path })).toMatchObject({ untracked: ['other'] });
  });
});

describe('git.diff', () => {
  it('counts lines by file, and shows them when asked', async () => {
    const path = await repository();
    await agent.shell(`cd ${path}; (seq 2; echo x; echo y) > a.txt; printf '\\0\\1' > bin; git add bin`);
    expect(await agent.call(handlers, 'git.diff', { path, commit: 'HEAD' })).toEqual({
      changes: [
        { file: 'a.txt', status: 'modified', additions: 2, deletions: 1 },
        { file: 'bin', status: 'added', additions: null, deletions: null },
      ],
      total_additions: 2,
      total_deletions: 1,
      files_changed: 2,
    });
    expect(await agent.call(handlers, 'git.diff', { path, cached: true })).toMatchObject({ changes: [{ file: 'bin' }] });
    const { patch, truncated } = await agent.call(handlers, 'git.diff', { path, patch: true, files: ['a.txt'] });
    expect([patch, truncated]).toEqual([expect.stringContaining('-3\n+x\n+y\n'), false]);
  });

  it('cuts a patch at its limit without keeping the rest', async () => {
    const path = await repository();
    await agent.shell(`seq 300000 > ${path}/a.txt`);
    const { patch, truncated, total_additions } = await agent.call(handlers, 'git.diff', { path, patch: true, limit: 1_000 });
    expect([String(patch).length, truncated, total_additions]).toEqual([1_000, true, 299_997]);
  });

  it('follows renames of files whose names hold tabs', async () => {
    const path = await repository();
    await agent.shell(`cd ${path}; git mv a.txt "$(printf 'a\\tb')"`);
    expect(await agent.call(handlers, 'git.diff', { path, cached: true })).toMatchObject({
      changes: [{ file: 'a\tb', status: 'renamed', additions: 0 }],
    });
  });

  it('reads nothing outside the repository, whatever is called a commit or a file', async () => {
    const path = await repository();
    for (const commit of [
      '-x',
      '--ext-diff',
      '--no-index',
      '--output=/workspace/pwned',
      'none',
      'HEAD..main',
      'HEAD --',
      'HEAD\n',
      '/etc/passwd',
      '',
    ]) {
      expect((await agent.fail(handlers, 'git.diff', { path, commit })).type, commit).toBe('CommitNotFound');
    }
    for (const files of [['/etc/passwd', '/etc/group'], ['../../etc/passwd', 'a.txt'], ['a\0b']]) {
      expect((await agent.fail(handlers, 'git.diff', { path, files })).type).toBe('PathOutOfScope');
    }
    expect(await agent.call(handlers, 'git.diff', { path, files: ['--no-index', '--output=x'] })).toMatchObject({ changes: [] });
  });
});

describe('git.log', () => {
  it('filters, limits, and takes no pattern and no option from an author', async () => {
    const path = await repository();
    await agent.shell(
      `cd ${path}; for n in 1 2 3; do git -c user.name="N$n (x.y)" -c user.email=n@x commit -q --allow-empty -m "m$n"; done`,
    );
    const subjects = async (input: object) =>
      ((await agent.call(handlers, 'git.log', { path, ...input }))['commits'] as { message: string }[]).map(({ message }) => message);
    expect(await subjects({ limit: 2 })).toEqual(['m3', 'm2']);
    expect(await subjects({ author: 'n2 (' })).toEqual(['m2']);
    expect(await subjects({ author: '.*' })).toEqual([]);
    expect(await subjects({ author: '--all' })).toEqual([]);
    expect(await subjects({ since: '2999-01-01T00:00:00Z' })).toEqual([]);
    expect(await subjects({ branch: 'main~1', limit: 1 })).toEqual(['m2']);
    expect((await agent.fail(handlers, 'git.log', { path, since: '@{evil}' })).type).toBe('InvalidInput');
    for (const branch of ['none', '--all', '-p', 'main --', '..', 'a\0b']) {
      expect((await agent.fail(handlers, 'git.log', { path, branch })).type, branch).toBe('BranchNotFound');
    }
  });

  it('an empty repository has an empty log', async () => {
    await agent.call(handlers, 'git.init', { path: 'empty-log' });
    expect(await agent.call(handlers, 'git.log', { path: 'empty-log' })).toEqual({ commits: [], total_returned: 0, branch: 'main' });
  });
});

describe('git.branch and git.checkout', () => {
  it('make, list, switch and delete branches', async () => {
    const path = await repository();
    const branch = (action: string, name?: string, more = {}) =>
      agent.call(handlers, 'git.branch', { path, action, ...(name === undefined ? {} : { name }), ...more });
    await branch('create', 'feature/x');
    expect(await branch('switch', 'feature/x')).toEqual({
      branches: [
        { name: 'feature/x', is_current: true, is_remote: false },
        { name: 'main', is_current: false, is_remote: false },
      ],
      current_branch: 'feature/x',
    });
    await agent.shell(`echo more > ${path}/more`);
    await agent.call(handlers, 'git.commit', { path, message: 'more' });
    await branch('switch', 'main');
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'delete', name: 'feature/x' })).type).toBe('BranchNotMerged');
    await branch('create', 'same');
    expect(await branch('delete', 'same')).toMatchObject({ current_branch: 'main' });
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'create', name: 'main' })).type).toBe('BranchAlreadyExists');
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'create', name: 'y', start_point: '--track' })).type).toBe(
      'BranchNotFound',
    );
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'delete', name: 'none' })).type).toBe('BranchNotFound');
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'delete', name: 'main' })).type).toBe('InvalidInput');
    for (const action of ['rename', 'constructor', '', '-D']) {
      expect((await agent.fail(handlers, 'git.branch', { path, action, name: 'x' })).type).toBe('InvalidAction');
    }
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'create' })).type).toBe('InvalidAction');
    for (const name of ['-D', '--upload-pack=x', 'a..b']) {
      expect((await agent.fail(handlers, 'git.branch', { path, action: 'delete', name })).type).toBe('InvalidInput');
    }
  });

  it('go to commits, new branches, and refuse where changes would be lost', async () => {
    const path = await repository();
    const { head_commit: first } = await agent.call(handlers, 'git.status', { path });
    await agent.shell(`echo two > ${path}/a.txt`);
    await agent.call(handlers, 'git.commit', { path, message: 'two' });
    expect(await agent.call(handlers, 'git.checkout', { path, ref: String(first) })).toEqual({ branch: null, head_commit: first });
    expect(await agent.call(handlers, 'git.checkout', { path, ref: 'fix', create: true })).toEqual({ branch: 'fix', head_commit: first });
    await agent.shell(`echo mine > ${path}/a.txt`);
    expect((await agent.fail(handlers, 'git.checkout', { path, ref: 'main' })).type).toBe('UncommittedChanges');
    expect((await agent.fail(handlers, 'git.branch', { path, action: 'switch', name: 'main' })).type).toBe('UncommittedChanges');
    expect(await agent.shell(`cat ${path}/a.txt`)).toBe('mine\n');
    for (const ref of ['-f', '--orphan', 'none', '--', 'a b', '.']) {
      expect((await agent.fail(handlers, 'git.checkout', { path, ref })).type, ref).toBe('CommitNotFound');
    }
  });
});

describe('repositories of the workspace as remotes', () => {
  it('are cloned, pulled from and pushed to', async () => {
    const origin = await repository();
    await agent.shell(`git clone -q --bare ${origin} bare.git`);
    const cloned = await agent.call(handlers, 'git.clone', { url: '/workspace/bare.git', path: 'copy' });
    expect(cloned).toEqual({ path: '/workspace/copy', default_branch: 'main', head_commit: expect.stringMatching(HASH) });
    await agent.call(handlers, 'git.clone', { url: 'file:///workspace/bare.git', path: 'second', depth: 1 });
    await agent.shell('echo new > copy/new');
    const { commit_hash } = await agent.call(handlers, 'git.commit', { path: 'copy', message: 'new' });
    expect(await agent.call(handlers, 'git.status', { path: 'copy' })).toMatchObject({
      upstream: { branch: 'origin/main', ahead: 1, behind: 0 },
    });
    expect(await agent.call(handlers, 'git.push', { path: 'copy' })).toEqual({
      pushed_refs: ['refs/heads/main'],
      head_commit: commit_hash,
    });
    expect(await agent.call(handlers, 'git.status', { path: 'copy' })).toMatchObject({ upstream: { ahead: 0 } });
    expect(await agent.call(handlers, 'git.push', { path: 'copy' })).toMatchObject({ pushed_refs: [] });
    expect(await agent.call(handlers, 'git.pull', { path: 'second' })).toEqual({
      new_commits: 1,
      files_changed: 1,
      head_commit: commit_hash,
      up_to_date: false,
    });
    expect(await agent.call(handlers, 'git.pull', { path: 'second' })).toMatchObject({ new_commits: 0, up_to_date: true });
  });

  it('a conflict leaves everything as it was, and a push that is behind is refused', async () => {
    const origin = await repository();
    await agent.shell(`git clone -q --bare ${origin} other.git`);
    for (const path of ['left', 'right']) await agent.call(handlers, 'git.clone', { url: '/workspace/other.git', path });
    await agent.shell('echo left > left/a.txt; echo right > right/a.txt');
    for (const path of ['left', 'right']) await agent.call(handlers, 'git.commit', { path, message: path });
    await agent.call(handlers, 'git.push', { path: 'left' });
    expect((await agent.fail(handlers, 'git.push', { path: 'right' })).type).toBe('PushRejected');
    const before = await agent.call(handlers, 'git.status', { path: 'right' });
    expect(await agent.fail(handlers, 'git.pull', { path: 'right' })).toMatchObject({
      type: 'MergeConflict',
      context: { files: ['a.txt'] },
    });
    expect(await agent.call(handlers, 'git.status', { path: 'right' })).toMatchObject({
      head_commit: before['head_commit'],
      state: 'clean',
      conflicted: [],
    });
    expect(await agent.shell('cat right/a.txt')).toBe('right\n');
  });

  it('says what is missing', async () => {
    const path = await repository();
    expect((await agent.fail(handlers, 'git.pull', { path })).type).toBe('PullFailed');
    expect((await agent.fail(handlers, 'git.push', { path, remote: '--all' })).type).toBe('InvalidInput');
    expect((await agent.fail(handlers, 'git.push', { path, branch: 'none' })).type).toBe('BranchNotFound');
    expect((await agent.fail(handlers, 'git.clone', { url: '/workspace/none', path: 'x' })).type).toBe('CloneFailed');
    expect((await agent.fail(handlers, 'git.clone', { url: `/workspace/${path}`, path: 'x', branch: 'none' })).type).toBe('CloneFailed');
    expect((await agent.fail(handlers, 'git.clone', { url: `/workspace/${path}`, path })).type).toBe('DestinationExists');
    expect(await agent.shell('ls -d x 2>/dev/null || echo none')).toBe('none\n');
  });
});
