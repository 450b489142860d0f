/**
 * One user of a run at a time: the run itself, a review that seals it, apply, undo or removal.
 *
 * A lock is a file that names its owner by pid, the time that process started, and the boot; a pid alone would be reused. It is written whole
 * under another name and published with link(2), which one process wins. A dead owner's lock is never removed by anybody else (two who both
 * saw it dead could then remove each other's new lock); it is succeeded: the next lock is published as `lock.<nonce of the dead one>`. So the
 * owner is whoever stands at the end of the chain that starts at `lock`, and is alive. Dead links stay until the run is removed.
 *
 * Pids mean something only within one pid namespace: a state directory is not to be shared between containers.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, lstatSync, openSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Fault } from '@warren/protocol';
import { errnoOf, fileFault } from './internal/errno.ts';
import { readFields, readInteger, readMatch } from './internal/shape.ts';

/** Locks whose owners were killed. Nobody crashes a single run that often. */
const CHAIN_MAX = 1_000;

type Owner = { readonly pid: number; readonly startTicks: string; readonly bootId: string; readonly nonce: string };

export class RunLock implements Disposable {
  readonly #path: string;
  #isReleased = false;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Takes the lock of the run in this directory. The caller owns it. Throws `busy` with the pid, `not_found` when the run is gone. */
  static acquire(directory: string, runId: string): RunLock {
    const mine = {
      pid: process.pid,
      startTicks: startTicksOf(process.pid) ?? '0',
      bootId: bootId(),
      nonce: randomBytes(8).toString('hex'),
    };
    let path = join(directory, 'lock');
    for (let link = 0; link < CHAIN_MAX; ) {
      const owner = readOwner(path);
      if (owner === undefined) {
        if (publish(mine, directory, path)) return new RunLock(path);
      } else if (isAlive(owner)) {
        throw new Fault('busy', `Cannot work on run ${runId}: process ${owner.pid} is using it`, { details: { runId, pid: owner.pid } });
      } else {
        path = join(directory, `lock.${owner.nonce}`);
        link += 1;
      }
    }
    throw new Fault('internal', `Cannot lock run ${runId}: ${CHAIN_MAX} owners of ${directory} were killed. Next: remove the run`);
  }

  /** The pid of the living owner, if there is one. */
  static ownerPid(directory: string): number | undefined {
    let path = join(directory, 'lock');
    for (let link = 0; link < CHAIN_MAX; link += 1) {
      const owner = readOwner(path);
      if (owner === undefined) return undefined;
      if (isAlive(owner)) return owner.pid;
      path = join(directory, `lock.${owner.nonce}`);
    }
    return undefined;
  }

  /** The same lock, once its directory has another name. */
  moved(directory: string): RunLock {
    this.#isReleased = true;
    return new RunLock(join(directory, basename(this.#path)));
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    rmSync(this.#path, { force: true });
  }
}

function publish(owner: Owner, directory: string, path: string): boolean {
  const temporary = join(directory, `lock-new-${randomBytes(8).toString('hex')}`);
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, `${JSON.stringify(owner)}\n`);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false; // Another was faster: look who.
      throw error;
    } finally {
      unlinkSync(temporary);
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new Fault('not_found', `There is no run in ${directory}`, { cause: error });
    throw fileFault(error, `Cannot lock the run in ${directory}`);
  }
}

function readOwner(path: string): Owner | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileFault(error, `Cannot read the lock ${path}`);
  }
  // A lock is not flushed. What a power cut left of it holds nothing, and its owner is dead; the inode tells it from others.
  if (/^\0*$/.test(text)) return { pid: 0, startTicks: '', bootId: '', nonce: lstatSync(path).ino.toString(16).padStart(16, '0') };
  try {
    const fields = readFields(JSON.parse(text), 'lock', ['pid', 'startTicks', 'bootId', 'nonce']);
    return {
      pid: readInteger(fields['pid'], 'pid', 2 ** 22),
      startTicks: readMatch(fields['startTicks'], 'startTicks', /^\d{1,20}$/),
      bootId: readMatch(fields['bootId'], 'bootId', /^[0-9a-f-]{1,36}$/),
      nonce: readMatch(fields['nonce'], 'nonce', /^[0-9a-f]{16}$/),
    };
  } catch (error) {
    // Nobody can tell whether its owner lives, so nobody takes it over.
    throw new Fault('internal', `Cannot read the lock ${path}: it is damaged. Next: make sure that no warren runs, then rm ${path}`, {
      cause: error,
    });
  }
}

function isAlive(owner: Owner): boolean {
  return owner.bootId === bootId() && startTicksOf(owner.pid) === owner.startTicks;
}

/** When a process started, in clock ticks since boot (proc_pid_stat(5), field 22). A zombie has ended: its files are closed. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in the second field may hold spaces and parentheses; it ends at the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined; // No such process.
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
