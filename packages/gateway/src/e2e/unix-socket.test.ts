import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareSocketPath } from '../http/unix-socket.ts';
import { openTestGateway } from '../test-support/open-test-gateway.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** What connecting as another user ends with. */
function connectAs(uid: number, path: string): Promise<string> {
  const script = `require('net').connect(${JSON.stringify(path)}).on('connect', () => { console.log('connected'); process.exit(); }).on('error', (e) => console.log(e.code))`;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['-e', script], { uid, gid: uid, cwd: '/' }, (error, stdout) =>
      error === null ? resolve(stdout.trim()) : reject(error),
    );
  });
}

function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'warren-socket-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe('the unix socket', () => {
  it('has mode 0600 in a directory of mode 0700, whatever the mask is', async () => {
    const before = process.umask(0);
    try {
      await using on = await openTestGateway();
      expect([modeOf(dirname(on.socketPath)), modeOf(on.socketPath)]).toEqual([0o700, 0o600]);
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
    }
  });

  it('lets nobody in but its owner and root: the kernel asks for them', async ({ skip }) => {
    skip(!isRoot, 'only root may become another user');
    await using on = await openTestGateway();
    chmodSync(on.directory, 0o711);
    expect(await connectAs(NOBODY, on.socketPath)).toBe('EACCES');
    // The socket's own mode says no where the directory would not.
    chmodSync(dirname(on.socketPath), 0o755);
    expect(await connectAs(NOBODY, on.socketPath)).toBe('EACCES');
    chmodSync(on.socketPath, 0o666);
    expect(await connectAs(NOBODY, on.socketPath)).toBe('connected');
  });

  it('is gone when the daemon is', async () => {
    await using on = await openTestGateway();
    await on.served.close();
    expect(statSync(on.socketPath, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('a path for the unix socket', () => {
  it('where a daemon died is used again', async () => {
    using at = temporaryDirectory();
    const path = join(at.path, 's');
    // A process that is killed leaves its socket behind.
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await new Promise<void>((resolve) => execFile(process.execPath, ['-e', script], () => resolve()));
    expect(statSync(path).isSocket()).toBe(true);
    await prepareSocketPath(path);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('where somebody listens is refused, and goes on listening', async () => {
    using at = temporaryDirectory();
    const path = join(at.path, 's');
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(prepareSocketPath(path)).rejects.toMatchObject({ code: 'busy' });
    expect(statSync(path).isSocket()).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('where there is a file, a directory or a link is refused, and nothing is removed', async () => {
    using at = temporaryDirectory();
    const paths = ['file', 'directory', 'link', 'dangling'].map((name) => join(at.path, name));
    const [file = '', directory = '', link = '', dangling = ''] = paths;
    writeFileSync(file, 'x');
    mkdirSync(directory);
    symlinkSync(file, link);
    symlinkSync('/nowhere', dangling);
    for (const path of [file, directory, link, dangling])
      await expect(prepareSocketPath(path)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(statSync(file).size).toBe(1);
  });

  it('where no directory can be is refused', async () => {
    using at = temporaryDirectory();
    writeFileSync(join(at.path, 'file'), '');
    for (const path of [join(at.path, 'file', 's'), join(at.path, 'file', 'deeper', 's'), '/proc/none/s']) {
      await expect(prepareSocketPath(path)).rejects.toMatchObject({ code: 'permission_denied' });
    }
  });

  it('in a directory that others may write to, or that is a link, is refused', async () => {
    using at = temporaryDirectory();
    const open = join(at.path, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    await expect(prepareSocketPath(join(open, 's'))).rejects.toMatchObject({ code: 'permission_denied' });
    chmodSync(open, 0o1777);
    await prepareSocketPath(join(open, 's'));
    symlinkSync(open, join(at.path, 'link'));
    await expect(prepareSocketPath(join(at.path, 'link', 's'))).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('in a directory of another user, or where that user made a socket, is refused', async ({ skip }) => {
    skip(!isRoot, 'only root may give files away');
    using at = temporaryDirectory();
    const theirs = join(at.path, 'theirs');
    mkdirSync(theirs);
    chownSync(theirs, NOBODY, NOBODY);
    await expect(prepareSocketPath(join(theirs, 's'))).rejects.toMatchObject({ code: 'permission_denied' });
    const path = join(at.path, 's');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    chownSync(path, NOBODY, NOBODY);
    await expect(prepareSocketPath(path)).rejects.toMatchObject({ code: 'permission_denied' });
    await new Promise((resolve) => server.close(resolve));
  });
});
