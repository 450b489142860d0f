/**
 * The place of a unix socket. Who may connect is decided by the kernel of the machine: connecting needs write permission for the socket, which
 * has mode 0600, and a way to it, through a directory of mode 0700. So whoever gets in is the owner of the daemon, or root, and that is why a
 * connection without a token counts as the operator's. (Node cannot ask who is at the other end; it need not.)
 */
import { lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { Fault } from '@warren/protocol';

/** Read, write, execute for group and others. */
const OTHERS = 0o077;
const WRITE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Makes the directory and removes the socket of a daemon that is gone. Throws `busy` when somebody listens there, and `permission_denied` when
 * what is there is not ours to replace: no socket, a symbolic link, of another user, or in a directory where others could replace it.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  checkDirectory(path, makeDirectory(path));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) refuse(path, 'what is there is no socket');
  if (found.uid !== ownUid()) refuse(path, 'the socket there is of another user');
  if (await isAnswering(path))
    throw new Fault('busy', `Cannot listen on unix:${path}: another program listens there`, { details: { path } });
  unlinkSync(path);
}

function makeDirectory(path: string): Stats {
  const directory = dirname(path);
  try {
    return lstatSync(directory, { throwIfNoEntry: false }) ?? makeWithParents(directory);
  } catch (error) {
    throw refusal(path, `its directory cannot be made (${codeOf(error)})`);
  }
}

/** Node's own recursive one never returns where the file system makes no directories, as in /proc. */
function makeWithParents(directory: string): Stats {
  const parent = dirname(directory);
  if (lstatSync(parent, { throwIfNoEntry: false }) === undefined) makeWithParents(parent);
  mkdirSync(directory, { mode: 0o777 & ~OTHERS });
  return lstatSync(directory);
}

function checkDirectory(path: string, directory: Stats): void {
  if (!directory.isDirectory()) refuse(path, 'its directory is none, or a symbolic link');
  if (directory.uid !== ownUid() && directory.uid !== 0) refuse(path, 'its directory is of another user');
  if ((directory.mode & WRITE_BY_OTHERS) !== 0 && (directory.mode & STICKY) === 0) refuse(path, 'others may write to its directory');
}

/** Runs `bind`, which creates the socket before it returns, so that the socket never has another mode than 0600. */
export function withPrivateMode<T>(bind: () => T): T {
  const before = process.umask(0o177);
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      // Full, or not for us to know: somebody is there.
      else if (code === 'EAGAIN' || code === 'EACCES') resolve(true);
      else reject(error);
    });
  });
}

function refuse(path: string, why: string): never {
  throw refusal(path, why);
}

function refusal(path: string, why: string): Fault {
  return new Fault('permission_denied', `Cannot listen on unix:${path}: ${why}`, { details: { path } });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function ownUid(): number {
  if (process.geteuid === undefined) throw new Fault('unsupported', 'Cannot listen on a unix socket: this system has no users');
  return process.geteuid();
}
