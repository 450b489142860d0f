/** The capabilities of files in real sandboxes: what they do, and what they are not talked into. */
import { linkSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CapabilityError } from '../../capability/handler.ts';
import { AgentHost } from '../test-support/agent-host.ts';

let sandboxes: Sandboxes;
let host: AgentHost;
let pid: number;
/** Reads `/workspace/open`, writes `/workspace/own`; there is a `/workspace/secret` besides. */
let bounded: number;
beforeAll(async () => {
  sandboxes = await openSandboxes();
  host = await AgentHost.open({ sandboxes });
  pid = await host.process();
  for (const name of ['open', 'own', 'secret']) mkdirSync(`${host.files}/${name}`);
  writeFileSync(`${host.files}/secret/key`, 'hidden');
  bounded = await host.process([
    { prefix: '/workspace/open', mode: 'r' },
    { prefix: '/workspace/own', mode: 'rw' },
  ]);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await sandboxes[Symbol.asyncDispose]();
});

const put = (name: string, content: string | Uint8Array): void => {
  mkdirSync(`${host.files}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
  writeFileSync(`${host.files}/${name}`, content);
};
const contentOf = (name: string): string => readFileSync(`${host.files}/${name}`, 'utf8');

describe('filesystem.read', () => {
  it('reads a file, its size and the hash of all of it', async () => {
    put('r/a.txt', 'hello');
    expect(await host.call(pid, 'filesystem.read', { path: 'r/a.txt' })).toMatchObject({
      content: 'hello',
      size: 5,
      truncated: false,
      checksum: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    expect(await host.call(pid, 'filesystem.read', { path: 'r/a.txt', offset: 1, limit: 2 })).toMatchObject({
      content: 'el',
      size: 5,
      truncated: true,
    });
    expect(await host.call(pid, 'filesystem.read', { path: 'r/a.txt', offset: 99 })).toMatchObject({ content: '', truncated: false });
    expect(await host.call(pid, 'filesystem.read', { path: 'r/a.txt', encoding: 'binary' })).toMatchObject({ content: 'aGVsbG8=' });
  });

  it('ends a window of text in whole characters, and says so when it is none', async () => {
    put('r/umlaut', 'ä€𝄞x');
    expect(await host.call(pid, 'filesystem.read', { path: 'r/umlaut', limit: 7 })).toMatchObject({ content: 'ä€', truncated: true });
    put('r/bytes', Uint8Array.of(0xff, 0xfe, 0));
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/bytes' })).toBe('EncodingError');
    expect(await host.call(pid, 'filesystem.read', { path: 'r/bytes', encoding: 'binary' })).toMatchObject({ content: '//4A' });
  });

  it('reads a window of a sparse file larger than memory is for it, and hashes the whole where it is', async () => {
    put('r/huge', '');
    truncateSync(`${host.files}/r/huge`, 100_000_000);
    const found = await host.call(pid, 'filesystem.read', { path: 'r/huge', limit: 4, offset: 90_000_000, encoding: 'binary' });
    expect(found).toMatchObject({ content: 'AAAAAA==', size: 100_000_000, truncated: true });
    expect(String(found['checksum'])).toMatch(/^[0-9a-f]{64}$/);
    // Of one of 5 GB the hash takes longer than the caller waits; then nothing goes on.
    truncateSync(`${host.files}/r/huge`, 5_000_000_000);
    const reading = host.call(pid, 'filesystem.read', { path: 'r/huge', limit: 4, encoding: 'binary' }, AbortSignal.timeout(200));
    await expect(reading).rejects.toThrow();
    expect(await host.shell(pid, 'pgrep -c sha256sum || true')).toBe('0\n');
  }, 120_000);

  it('gives one content of a file that is changed meanwhile, or says so', async () => {
    put('r/moving', 'x');
    await using held = await host.agents.open(host.mine.id, pid);
    const busy = await held.background.start(['sh', '-c', 'while :; do echo more >> /workspace/r/moving; done'], {});
    expect(['none', 'ResourceExhausted']).toContain(await host.errorOf(pid, 'filesystem.read', { path: 'r/moving' }));
    await held.background.kill(busy.id, 'SIGKILL', 1_000);
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/moving' })).toBe('none');
  });

  it('hangs on nothing that is no regular file', async () => {
    await host.shell(pid, 'cd /workspace/r && mkfifo pipe && mkdir dir && ln -s /dev/zero zero && ln -s loop loop');
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/pipe' })).toBe('NotAFile');
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/dir' })).toBe('NotAFile');
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/missing' })).toBe('FileNotFound');
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/a.txt/below' })).toBe('FileNotFound');
    expect(await host.errorOf(pid, 'filesystem.read', { path: 'r/loop' })).toBe('NotAFile');
    for (const path of [
      'r/zero',
      '/dev/zero',
      '/proc/self/environ',
      '/proc/1/root/etc/passwd',
      '/etc/passwd',
      '../etc/passwd',
      '/workspace/../etc/passwd',
    ])
      expect([path, await host.errorOf(pid, 'filesystem.read', { path })]).toEqual([path, 'PathOutOfScope']);
  });

  it('refuses a path that no file can have', async () => {
    for (const path of ['a\0b', '\ud800', `${'x/'.repeat(3_000)}y`])
      expect(await host.errorOf(pid, 'filesystem.read', { path })).toBe('InvalidInput');
    expect(['InvalidInput', 'PathOutOfScope', 'FileNotFound']).toContain(
      await host.errorOf(pid, 'filesystem.read', { path: 'x'.repeat(300) }),
    );
  });

  it('takes names of any kind', async () => {
    for (const name of ['-rf', ' ', 'new\nline', 'ünï/çødé', '$(id)', 'quote\'"', '*', '{a,b}']) {
      await host.call(pid, 'filesystem.write', { path: `names/${name}`, content: name, create_parents: true });
      expect(await host.call(pid, 'filesystem.read', { path: `names/${name}` })).toMatchObject({ content: name });
      expect(await host.call(pid, 'filesystem.stat', { path: `names/${name}` })).toMatchObject({
        exists: true,
        size: Buffer.byteLength(name),
      });
    }
    const { entries } = await host.call(pid, 'filesystem.list', { path: 'names' });
    expect((entries as { name: string }[]).map(({ name }) => name).toSorted()).toEqual(
      [' ', '$(id)', '*', '-rf', 'quote\'"', 'new\nline', '{a,b}', 'ünï'].toSorted(),
    );
    const { matches } = await host.call(pid, 'code.glob', { pattern: '**', path: 'names' });
    expect(matches).toContain('/workspace/names/new\nline');
  });
});

describe('links', () => {
  beforeAll(async () => {
    await host.shell(
      pid,
      'cd /workspace/own && ln -s /etc/passwd system && ln -s ../secret/key key && ln -s ../open/x read_only && ln -s inner alias && mkdir inner && echo in > inner/f && ln -s / root',
    );
    put('open/x', 'may be read');
  });

  it('lead within what was granted and nowhere else', async () => {
    expect(await host.call(bounded, 'filesystem.read', { path: 'own/alias/f' })).toMatchObject({ content: 'in\n' });
    expect(await host.call(bounded, 'filesystem.read', { path: 'own/read_only' })).toMatchObject({ content: 'may be read' });
    for (const path of ['own/system', 'own/key', 'own/root/etc/passwd', 'own/root/workspace/secret/key', 'secret/key'])
      expect([path, await host.errorOf(bounded, 'filesystem.read', { path })]).toEqual([path, 'PathOutOfScope']);
  });

  it('do not carry a write out of what may be written', async () => {
    for (const path of ['own/read_only', 'own/key', 'own/system', 'own/root/tmp/x', 'open/x', 'open/new', 'own/alias/../../open/x'])
      expect([path, await host.errorOf(bounded, 'filesystem.write', { path, content: 'overwritten' })]).toEqual([path, 'PathOutOfScope']);
    for (const capability of ['filesystem.append', 'filesystem.mkdir', 'code.edit'])
      expect(await host.errorOf(bounded, capability, { path: 'own/read_only', content: 'x', old_string: 'may', new_string: 'x' })).toBe(
        'PathOutOfScope',
      );
    expect(await host.errorOf(bounded, 'filesystem.copy', { source: 'own/key', destination: 'own/stolen' })).toBe('PathOutOfScope');
    expect(await host.errorOf(bounded, 'filesystem.move', { source: 'own/inner/f', destination: 'open/f' })).toBe('PathOutOfScope');
    expect(contentOf('open/x')).toBe('may be read');
    expect(contentOf('secret/key')).toBe('hidden');
  });

  it('are not reached by a race either: what is not granted is not mounted', async () => {
    await using held = await host.agents.open(host.mine.id, bounded);
    // The look of a handler is left out, as if a link had been put there after it.
    await expect(held.sandbox.writeFile('/workspace/own/read_only', 'x', { append: true })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(held.sandbox.writeFile('/workspace/own/key', 'x', { append: true })).rejects.toMatchObject({ code: 'not_found' });
    expect(await host.shell(bounded, 'ls /workspace; cat /workspace/secret/key 2>&1 || true')).toBe(
      'open\nown\ncat: /workspace/secret/key: No such file or directory\n',
    );
  });

  it('are deleted and moved themselves, not what they lead to', async () => {
    await host.shell(pid, 'cd /workspace && ln -s secret/key doomed');
    await host.call(pid, 'filesystem.delete', { path: 'doomed' });
    expect(contentOf('secret/key')).toBe('hidden');
    expect(await host.call(pid, 'filesystem.stat', { path: 'own/key' })).toMatchObject({ type: 'symlink' });
  });

  it('that are hard are not written through', async () => {
    put('own/one', 'shared');
    linkSync(`${host.files}/own/one`, `${host.files}/secret/two`);
    await host.call(bounded, 'filesystem.write', { path: 'own/one', content: 'mine' });
    expect([contentOf('own/one'), contentOf('secret/two')]).toEqual(['mine', 'shared']);
  });
});

describe('filesystem.write', () => {
  it('replaces a file as a whole, keeps its permissions and counts its bytes', async () => {
    put('w/run.sh', 'old');
    await host.shell(pid, 'chmod 755 /workspace/w/run.sh');
    expect(await host.call(pid, 'filesystem.write', { path: 'w/run.sh', content: 'new' })).toMatchObject({
      path: '/workspace/w/run.sh',
      size: 3,
    });
    expect(await host.call(pid, 'filesystem.stat', { path: 'w/run.sh' })).toMatchObject({ permissions: 'rwxr-xr-x', owner: 'agent' });
    expect(await host.call(pid, 'filesystem.write', { path: 'w/b', content: '//4A', encoding: 'binary' })).toMatchObject({ size: 3 });
    expect(await host.errorOf(pid, 'filesystem.write', { path: 'w/b', content: 'no base64!', encoding: 'binary' })).toBe('EncodingError');
  });

  it('makes parents only when asked to', async () => {
    expect(await host.errorOf(pid, 'filesystem.write', { path: 'w/no/where', content: '' })).toBe('ParentNotFound');
    expect(await host.call(pid, 'filesystem.stat', { path: 'w/no' })).toEqual({ exists: false });
    await host.call(pid, 'filesystem.write', { path: 'w/yes/there', content: 'x', create_parents: true });
    expect(contentOf('w/yes/there')).toBe('x');
    expect(await host.errorOf(pid, 'filesystem.write', { path: 'w/yes', content: '' })).toBe('NotAFile');
  });

  it('leaves the old content when it is given up midway', async () => {
    put('w/kept', 'old');
    await using held = await host.agents.open(host.mine.id, pid);
    const abort = new AbortController();
    const endless = (async function* () {
      yield Buffer.from('new');
      abort.abort(new Error('enough'));
      await new Promise(() => {});
    })();
    await expect(held.sandbox.writeFile('/workspace/w/kept', endless, { signal: abort.signal })).rejects.toThrow();
    expect(contentOf('w/kept')).toBe('old');
    expect(await host.shell(pid, 'ls -A /workspace/w')).not.toContain('.warren-');
  });

  it('leaves the old content when its sandbox is killed midway', async () => {
    put('w/survivor', 'old');
    const writer = await host.process();
    await using held = await host.agents.open(host.mine.id, writer);
    const content = (async function* () {
      yield Buffer.alloc(1_000_000, 'n');
      await host.agents.close(host.mine.id, writer);
      yield Buffer.from('never');
    })();
    await expect(held.sandbox.writeFile('/workspace/w/survivor', content)).rejects.toMatchObject({ code: 'sandbox_gone' });
    expect(contentOf('w/survivor')).toBe('old');
  });

  it('says that the disk is full and changes nothing', async () => {
    await using small = await AgentHost.open({ sandboxes, sandboxLimits: { scratchBytes: 1_048_576 } });
    const scratch = await small.process([{ prefix: '/tmp', mode: 'rw' }]);
    await small.call(scratch, 'filesystem.write', { path: '/tmp/a', content: 'kept' });
    const large = 'x'.repeat(2_097_152);
    expect(await small.errorOf(scratch, 'filesystem.write', { path: '/tmp/a', content: large })).toBe('DiskFull');
    expect(await small.call(scratch, 'filesystem.read', { path: '/tmp/a' })).toMatchObject({ content: 'kept' });
  });

  it('may not write what belongs to somebody else', async () => {
    await host.shell(pid, 'mkdir -p /workspace/w/locked && chmod 500 /workspace/w/locked');
    expect(await host.errorOf(pid, 'filesystem.write', { path: 'w/locked/x', content: '' })).toBe('PermissionDenied');
    await host.shell(pid, 'chmod 700 /workspace/w/locked');
  });

  it('appends, also to what is not there yet', async () => {
    expect(await host.call(pid, 'filesystem.append', { path: 'w/log', content: 'ab' })).toMatchObject({ new_size: 2 });
    expect(await host.call(pid, 'filesystem.append', { path: 'w/log', content: 'cd' })).toMatchObject({ new_size: 4 });
    await host.shell(pid, 'mkfifo /workspace/w/pipe');
    expect(await host.errorOf(pid, 'filesystem.append', { path: 'w/pipe', content: 'x' })).toBe('NotAFile');
  });
});

describe('filesystem.list and filesystem.mkdir', () => {
  it('lists in the order asked for, hidden names only when asked to', async () => {
    put('l/b', '22');
    put('l/a', '333');
    put('l/.c', '1');
    const names = async (input: object): Promise<unknown> =>
      ((await host.call(pid, 'filesystem.list', { path: 'l', ...input }))['entries'] as { name: string }[]).map(({ name }) => name);
    expect(await names({})).toEqual(['a', 'b']);
    expect(await names({ sort_by: '-size', include_hidden: true })).toEqual(['a', 'b', '.c']);
    expect(await host.errorOf(pid, 'filesystem.list', { path: 'l/a' })).toBe('NotADirectory');
    expect(await host.errorOf(pid, 'filesystem.list', { path: 'l/x' })).toBe('DirectoryNotFound');
  });

  it('stays within bounds in a directory of 100,000 files', async () => {
    await using large = await AgentHost.open({ sandboxes, sandboxLimits: { scratchBytes: 536_870_912 } });
    const scratch = await large.process([{ prefix: '/tmp', mode: 'rw' }]);
    await large.shell(scratch, 'mkdir /tmp/many && cd /tmp/many && seq 100000 | xargs touch');
    const found = await large.call(scratch, 'filesystem.list', { path: '/tmp/many', limit: 10 });
    expect(found).toMatchObject({ total: 100_000, truncated: true });
    expect(found['entries']).toHaveLength(10);
    const searched = await large.call(scratch, 'filesystem.search', { path: '/tmp/many', pattern: '9999*' });
    expect(searched).toMatchObject({ total_matches: 11, truncated: false });
  }, 120_000);

  it('makes directories', async () => {
    expect(await host.call(pid, 'filesystem.mkdir', { path: 'm/a/b' })).toEqual({ path: '/workspace/m/a/b', created: true });
    expect(await host.call(pid, 'filesystem.mkdir', { path: 'm/a/b' })).toEqual({ path: '/workspace/m/a/b', created: false });
    put('m/file', '');
    expect(await host.errorOf(pid, 'filesystem.mkdir', { path: 'm/file' })).toBe('DestinationExists');
    expect(await host.errorOf(pid, 'filesystem.mkdir', { path: 'm/x/y', create_parents: false })).toBe('ParentNotFound');
  });
});

describe('filesystem.move and filesystem.copy', () => {
  it('move files and directories, and replace only what they may', async () => {
    put('v/a', 'abc');
    put('v/b', 'x');
    expect(await host.errorOf(pid, 'filesystem.move', { source: 'v/a', destination: 'v/b' })).toBe('DestinationExists');
    expect(await host.call(pid, 'filesystem.move', { source: 'v/a', destination: 'v/b', overwrite: true })).toMatchObject({
      destination: '/workspace/v/b',
      size: 3,
    });
    expect(contentOf('v/b')).toBe('abc');
    put('v/d/e', '');
    await host.call(pid, 'filesystem.move', { source: 'v/d', destination: 'v/-f' });
    expect(contentOf('v/-f/e')).toBe('');
    expect(await host.errorOf(pid, 'filesystem.move', { source: 'v/-f', destination: 'v/-f/inner' })).toBe('InvalidInput');
    expect(await host.errorOf(pid, 'filesystem.move', { source: 'v/b', destination: 'v/-f', overwrite: true })).toBe('DestinationExists');
    expect(await host.errorOf(pid, 'filesystem.move', { source: 'v/none', destination: 'v/c' })).toBe('FileNotFound');
    expect(await host.errorOf(pid, 'filesystem.move', { source: 'v/b', destination: 'v/q/c' })).toBe('ParentNotFound');
  });

  it('copy a file with its hash and permissions', async () => {
    put('v/s', 'hello');
    const copied = await host.call(pid, 'filesystem.copy', { source: 'v/s', destination: 'v/t' });
    expect(copied).toMatchObject({ size: 5, checksum: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' });
    expect(await host.errorOf(pid, 'filesystem.copy', { source: 'v/s', destination: 'v/t' })).toBe('DestinationExists');
    expect(await host.errorOf(pid, 'filesystem.copy', { source: 'v', destination: 'v2' })).toBe('NotAFile');
  });

  it('cross from one granted place to another', async () => {
    put('open/from', 'data');
    expect(await host.call(bounded, 'filesystem.copy', { source: 'open/from', destination: 'own/to' })).toMatchObject({ size: 4 });
    expect(contentOf('own/to')).toBe('data');
  });
});

describe('the trash', () => {
  it('gives back the same bytes at the same place, for a day', async () => {
    put('t/a', 'precious');
    const deleted = await host.call(pid, 'filesystem.delete', { path: 't/a' });
    expect(deleted).toMatchObject({ deleted_path: '/workspace/t/a', recoverable_until: new Date(host.time + 86_400_000).toISOString() });
    expect(await host.call(pid, 'filesystem.stat', { path: 't/a' })).toEqual({ exists: false });
    expect(await host.call(pid, 'filesystem.restore', { path: 't/a' })).toMatchObject({ restored_path: '/workspace/t/a' });
    expect(contentOf('t/a')).toBe('precious');
  });

  it('gives back the newest of several, and never over something', async () => {
    for (const content of ['first', 'second']) {
      put('t/b', content);
      host.time += 1_000;
      await host.call(pid, 'filesystem.delete', { path: 't/b' });
    }
    put('t/b', 'third');
    expect(await host.errorOf(pid, 'filesystem.restore', { path: 't/b' })).toBe('DestinationExists');
    await host.shell(pid, 'rm /workspace/t/b');
    await host.call(pid, 'filesystem.restore', { path: 't/b' });
    expect(contentOf('t/b')).toBe('second');
  });

  it('holds nothing longer than it says', async () => {
    put('t/c', 'old');
    const { trash_path: place } = await host.call(pid, 'filesystem.delete', { path: 't/c' });
    host.time += 86_400_001;
    expect(await host.errorOf(pid, 'filesystem.restore', { path: 't/c' })).toBe('NotInTrash');
    put('t/d', '');
    await host.call(pid, 'filesystem.delete', { path: 't/d' });
    expect(await host.shell(pid, `ls -d ${String(place)} 2>/dev/null || echo gone`)).toBe('gone\n');
  });

  it('refuses what it cannot take', async () => {
    put('t/full/x', '');
    expect(await host.errorOf(pid, 'filesystem.delete', { path: 't/full' })).toBe('DirectoryNotEmpty');
    expect(await host.errorOf(pid, 'filesystem.delete', { path: 't/none' })).toBe('FileNotFound');
    expect(await host.errorOf(bounded, 'filesystem.delete', { path: 'own' })).not.toBe('none');
    expect(await host.errorOf(pid, 'filesystem.restore', { path: 't/none' })).toBe('NotInTrash');
    expect(await host.errorOf(pid, 'filesystem.restore', {})).toBe('InvalidInput');
  });

  it('believes no note that an agent forged', async () => {
    put('own/f', 'mine');
    const { trash_path: place } = await host.call(bounded, 'filesystem.delete', { path: 'own/f' });
    for (const path of ['/workspace/open/f', '/etc/f', '/workspace/secret/f', '../../x']) {
      await host.shell(bounded, `cat > ${String(place)}/about.json <<'X'\n${JSON.stringify({ path, keptUntil: 9e15 })}\nX`);
      expect(await host.errorOf(bounded, 'filesystem.restore', { trash_path: place as string })).toBe('PathOutOfScope');
    }
    for (const note of ['', '{', '[]', 'null', '{"path":5}', '{"__proto__":{"path":"/workspace/own/f"}}']) {
      await host.shell(bounded, `printf '%s' '${note}' > ${String(place)}/about.json`);
      expect(await host.errorOf(bounded, 'filesystem.restore', { trash_path: place as string })).toBe('NotInTrash');
    }
    for (const path of ['/workspace/own', '/workspace/own/.warren-trash/agent-tester/x', '/etc'])
      expect(await host.errorOf(bounded, 'filesystem.restore', { trash_path: path })).toBe('NotInTrash');
  });

  it('is not a link to another place', async () => {
    await host.shell(bounded, 'cd /workspace/own && rm -rf .warren-trash && mkdir elsewhere && ln -s elsewhere .warren-trash');
    put('own/g', 'stays');
    expect(await host.errorOf(bounded, 'filesystem.delete', { path: 'own/g' })).toBe('PathOutOfScope');
    expect(contentOf('own/g')).toBe('stays');
    await host.shell(bounded, 'rm /workspace/own/.warren-trash');
  });
});

describe('filesystem.search', () => {
  beforeAll(() => {
    put('s/a.py', '1');
    put('s/c/d.py', '3');
    put('s/b.txt', '22');
    put('s/copy.txt', '22');
    put('s/.hidden.py', '');
    put('s/Makefile', '');
    symlinkSync('/etc', `${host.files}/s/etc`);
  });

  it('finds files by a glob, through no link', async () => {
    expect(await host.call(pid, 'filesystem.search', { path: 's', pattern: '**/*.py' })).toMatchObject({
      total_matches: 2,
      truncated: false,
    });
    const { matches } = await host.call(pid, 'filesystem.search', { path: 's', pattern: '**', include_hash: true });
    expect((matches as { path: string }[]).map(({ path }) => path)).toEqual(
      ['Makefile', 'a.py', 'b.txt', 'c', 'c/d.py', 'copy.txt', 'etc'].map((name) => `/workspace/s/${name}`),
    );
    expect((matches as { checksum: unknown }[])[2]?.checksum).toBe('785f3ec7eb32f30b90cd0fcf3657d388b5ff4297f2f9716ff66e9b69c05ddd09');
    expect(await host.errorOf(pid, 'filesystem.search', { path: 's', pattern: '[' })).toBe('InvalidPattern');
    expect(await host.errorOf(pid, 'filesystem.search', { path: 's/b.txt', pattern: '*' })).toBe('NotADirectory');
  });

  it('groups them, and finds those with the same content', async () => {
    const byExtension = await host.call(pid, 'filesystem.search', {
      path: 's',
      pattern: '**',
      aggregate: { group_by: 'extension', metrics: ['count', 'total_size'] },
    });
    expect(byExtension).not.toHaveProperty('matches');
    expect(byExtension['rows']).toEqual([
      { key: '.py', count: 2, total_size: 2 },
      { key: '.txt', count: 2, total_size: 4 },
      { key: '<none>', count: 1, total_size: 0 },
    ]);
    expect(
      (await host.call(pid, 'filesystem.search', { path: 's', pattern: '**', aggregate: { group_by: 'extension', max_groups: 1 } }))[
        'rows'
      ],
    ).toEqual([
      { key: '.py', count: 2 },
      { key: '<other>', count: 3 },
    ]);
    expect((await host.call(pid, 'filesystem.search', { path: 's', pattern: '**', aggregate: { dedupe: true } }))['rows']).toMatchObject([
      { count: 2, reclaimable_bytes: 2, paths: ['/workspace/s/b.txt', '/workspace/s/copy.txt'] },
    ]);
  });
});

describe('filesystem.search_content', () => {
  beforeAll(() => {
    put('c/a.ts', 'import x\nfunction openRun() {\n  return openRun2;\n}\n');
    put('c/b.ts', 'openRun(); openRun();\n');
    put('c/bin', Uint8Array.of(0, ...Buffer.from('openRun')));
    put('c/.git/x', 'openRun');
    put('c/new\nline', 'openRun\n');
  });

  it('ranks what declares first, with what is around it', async () => {
    const found = await host.call(pid, 'filesystem.search_content', { path: 'c', pattern: 'openRun', context_lines: 1 });
    expect(found).toMatchObject({ total_matches: 4, files_matched: 3, truncated: false });
    expect((found['matches'] as object[])[0]).toEqual({
      path: '/workspace/c/a.ts',
      line: 2,
      text: 'function openRun() {',
      snippet: 'import x\nfunction openRun() {\n  return openRun2;',
    });
  });

  it('counts occurrences, files and values of a group', async () => {
    expect(await host.call(pid, 'filesystem.search_content', { path: 'c', pattern: 'openRun', total_only: true })).toMatchObject({
      total_matches: 5,
    });
    expect(
      (await host.call(pid, 'filesystem.search_content', { path: 'c', pattern: 'openRun', files_only: true, include_glob: '*.ts' }))[
        'files'
      ],
    ).toEqual([
      { path: '/workspace/c/a.ts', lines: 2 },
      { path: '/workspace/c/b.ts', lines: 1 },
    ]);
    const counted = await host.call(pid, 'filesystem.search_content', {
      path: 'c',
      pattern: 'open(?<what>\\w+)',
      regex: true,
      count_by: 'what',
    });
    expect(counted['counts']).toEqual([
      { value: 'Run', count: 4 },
      { value: 'Run2', count: 1 },
    ]);
    expect(await host.errorOf(pid, 'filesystem.search_content', { path: 'c', pattern: 'x', count_by: '1' })).toBe('InvalidInput');
    expect(await host.errorOf(pid, 'filesystem.search_content', { path: 'c', pattern: 'x', regex: true, count_by: '7' })).toBe(
      'InvalidPattern',
    );
    expect(await host.errorOf(pid, 'filesystem.search_content', { path: 'c', pattern: '(', regex: true })).toBe('InvalidPattern');
  });

  it('takes a pattern for what it is, also one that looks like an option', async () => {
    put('c2/x', '--help\n.*\n');
    expect(await host.call(pid, 'filesystem.search_content', { path: 'c2', pattern: '--help' })).toMatchObject({ total_matches: 1 });
    expect(await host.call(pid, 'filesystem.search_content', { path: 'c2', pattern: '.*' })).toMatchObject({ total_matches: 1 });
  });

  it('ends an expression that explodes', async () => {
    put('c3/x', `${'a'.repeat(40)}!\n`.repeat(200));
    const started = host.call(pid, 'filesystem.search_content', { path: 'c3', pattern: '(a|a)*$', regex: true, total_only: true });
    const outcome = await started.then(
      () => 'answered',
      (error: unknown) => (error instanceof CapabilityError ? error.type : String(error)),
    );
    expect(['answered', 'Timeout', 'InvalidPattern']).toContain(outcome);
  });
});

describe('filesystem.edit', () => {
  it('writes nothing when the number is another one', async () => {
    put('e/a', 'x x x');
    expect(await host.errorOf(pid, 'filesystem.edit', { path: 'e/a', pattern: 'x', replace: 'y', expected_replacements: 2 })).toBe(
      'MatchCountMismatch',
    );
    expect(contentOf('e/a')).toBe('x x x');
    for (const input of [{ expected_replacements: 3, replace_all: true }, {}])
      expect(await host.errorOf(pid, 'filesystem.edit', { path: 'e/a', pattern: 'x', replace: 'y', ...input })).toBe('InvalidInput');
  });

  it('changes many files, those left out excepted', async () => {
    put('e2/a.py', 'old(1)\n');
    put('e2/sub/b.py', 'old(2) old(3)\n');
    put('e2/c.txt', 'old');
    put('e2/.gitignore', 'ignored/\n*.gen.py\n!keep.gen.py\n');
    put('e2/ignored/d.py', 'old(4)');
    put('e2/x.gen.py', 'old(5)');
    put('e2/keep.gen.py', 'old(6)');
    put('e2/node_modules/m.py', 'old(7)');
    put('e2/bin.py', Uint8Array.of(0, 1));
    const input = {
      path: 'e2',
      include_glob: '*.py',
      pattern: 'old\\((\\d)\\)',
      replace: `new[\${1}]$$`,
      regex: true,
      expected_replacements: 4,
    };
    const preview = await host.call(pid, 'filesystem.edit', { ...input, dry_run: true });
    expect(preview).toMatchObject({
      applied: 'preview',
      total_replacements: 4,
      files_changed: 3,
      skipped: [{ path: '/workspace/e2/bin.py', reason: 'binary' }],
    });
    expect(preview['diff']).toContain('-old(2) old(3)\n+new[2]$ new[3]$\n');
    expect(contentOf('e2/a.py')).toBe('old(1)\n');
    expect(await host.call(pid, 'filesystem.edit', input)).toMatchObject({ applied: 'full', total_replacements: 4 });
    expect(['e2/a.py', 'e2/sub/b.py', 'e2/keep.gen.py', 'e2/ignored/d.py', 'e2/x.gen.py', 'e2/node_modules/m.py'].map(contentOf)).toEqual([
      'new[1]$\n',
      'new[2]$ new[3]$\n',
      'new[6]$',
      'old(4)',
      'old(5)',
      'old(7)',
    ]);
  });

  it('puts back what was written when one file cannot be', async () => {
    put('e3/a', 'x');
    put('e3/z/b', 'x');
    await host.shell(pid, 'chmod 500 /workspace/e3/z');
    expect(await host.errorOf(pid, 'filesystem.edit', { path: 'e3', pattern: 'x', replace: 'y', replace_all: true })).toBe(
      'PermissionDenied',
    );
    await host.shell(pid, 'chmod 700 /workspace/e3/z');
    expect([contentOf('e3/a'), contentOf('e3/z/b')]).toEqual(['x', 'x']);
  });

  it('takes a replacement without a regular expression for what it is', async () => {
    put('e4/a', 'a.b');
    await host.call(pid, 'filesystem.edit', { path: 'e4/a', pattern: '.', replace: `\${1}$&$$`, expected_replacements: 1 });
    expect(contentOf('e4/a')).toBe(`a\${1}$&$$b`);
  });

  it('ends an expression that explodes, and writes nothing', async () => {
    put('e5/a', `${'a'.repeat(64)}!`);
    await using quick = await AgentHost.open({ sandboxes, workerLimits: { deadlineMs: 3_000 } });
    mkdirSync(`${quick.files}/e`);
    writeFileSync(`${quick.files}/e/a`, `${'a'.repeat(64)}!`);
    const other = await quick.process();
    expect(
      await quick.errorOf(other, 'filesystem.edit', { path: 'e', pattern: '^(a+)+$', replace: 'b', regex: true, replace_all: true }),
    ).toBe('Timeout');
    expect(readFileSync(`${quick.files}/e/a`, 'utf8')).toMatch(/^a+!$/);
    // And the next one has a thread.
    expect(
      await quick.call(other, 'filesystem.edit', { path: 'e', pattern: 'a+', replace: 'b', regex: true, replace_all: true }),
    ).toMatchObject({ applied: 'full' });
    expect(await quick.errorOf(other, 'filesystem.edit', { path: 'e', pattern: '(', replace: 'b', regex: true, replace_all: true })).toBe(
      'InvalidPattern',
    );
    expect(
      await quick.errorOf(other, 'filesystem.edit', { path: 'e', pattern: 'b', replace: `\${2}`, regex: true, replace_all: true }),
    ).toBe('InvalidPattern');
  });
});

describe('filesystem.watch', () => {
  it('tells nobody else, whatever they listen to', async () => {
    await using watched = await AgentHost.open({ sandboxes, watchLimits: { betweenMs: 20 } });
    const [watcher, stranger] = [await watched.process(), await watched.process()];
    await watched.mine.mail.createBox(stranger);
    for (const pattern of ['**', '*', `watch.${watcher}.**`]) await watched.mine.mail.subscribe(stranger, pattern);
    mkdirSync(`${watched.files}/in`);
    const { channel } = await watched.call(watcher, 'filesystem.watch', { path: 'in' });
    writeFileSync(`${watched.files}/in/a.txt`, '1');
    const [message] = await watched.mine.mail.receive(watcher, { topic: String(channel), limit: 1, waitMs: 10_000 });
    expect(message?.payload).toMatchObject({ event: 'create' });
    expect(await watched.mine.mail.findBox(stranger)).toMatchObject({ pending: 0 });
  });

  it('tells of what changes, and ends when asked to or with the process', async () => {
    await using watched = await AgentHost.open({ sandboxes, watchLimits: { betweenMs: 20 } });
    const watcher = await watched.process();
    mkdirSync(`${watched.files}/in`);
    const { watch_id: id, channel } = await watched.call(watcher, 'filesystem.watch', { path: 'in', pattern: '*.txt' });
    const next = async () => {
      const [message] = await watched.mine.mail.receive(watcher, { topic: String(channel), limit: 1, waitMs: 10_000 });
      await watched.mine.mail.acknowledge(watcher, [message?.id ?? 0]);
      return message?.payload;
    };
    writeFileSync(`${watched.files}/in/skipped.md`, '');
    writeFileSync(`${watched.files}/in/a.txt`, '1');
    expect(await next()).toMatchObject({ watch_id: id, event: 'create', path: '/workspace/in/a.txt' });
    writeFileSync(`${watched.files}/in/a.txt`, 'longer');
    expect(await next()).toMatchObject({ event: 'modify' });
    await watched.shell(watcher, 'mv /workspace/in/a.txt /workspace/in/b.txt');
    expect(await next()).toMatchObject({ event: 'rename', path: '/workspace/in/b.txt', from: '/workspace/in/a.txt' });
    await watched.shell(watcher, 'rm /workspace/in/b.txt');
    expect(await next()).toMatchObject({ event: 'delete', path: '/workspace/in/b.txt' });
    const stranger = await watched.process();
    expect(await watched.call(stranger, 'filesystem.unwatch', { watch_id: id as string })).toMatchObject({ ended: false });
    expect(await watched.call(watcher, 'filesystem.unwatch', { watch_id: id as string })).toMatchObject({ ended: true });
    expect(watched.watches.active).toBe(0);
    for (let count = 0; count < 8; count++) await watched.call(watcher, 'filesystem.watch', { path: 'in' });
    expect(await watched.errorOf(watcher, 'filesystem.watch', { path: 'in' })).toBe('TooManyWatches');
    expect(await watched.errorOf(stranger, 'filesystem.watch', { path: 'none' })).toBe('DirectoryNotFound');
    await watched.mine.processes.end(watcher, { kind: 'completed' } as never).catch(() => watched.mine.processes.signal(watcher, 'kill'));
    await expect.poll(() => watched.watches.active, { timeout: 10_000 }).toBe(0);
  });
});
