/**
 * The records of runs: `<state>/runs/<id>/`, one directory each, with `run.json`, the layer, and what apply needs to undo. A directory appears
 * under its name only when it is whole, and disappears from it at once, so that a listing never meets half a run. Names that begin with a dot
 * are runs on their way in or out; those of dead processes are cleared away.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import type { Exit, ProfileName } from '../contract.ts';
import { canonicalDirectory, contains } from './canonical-directory.ts';
import { HeldRun, type RecordChanges } from './held-run.ts';
import { errnoOf, fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { syncDirectory, writeAtomically } from './internal/write-atomically.ts';
import { makeLayer } from './make-layer.ts';
import { sealLayer } from './manifest.ts';
import { removeTree } from './remove-tree.ts';
import { createRunId, isRunId, type RunId } from './run-id.ts';
import { RunLock } from './run-lock.ts';
import { runPaths } from './run-paths.ts';
import { exitRecord, type RunExit, type RunRecord, readRecord, recordToText } from './run-record.ts';
import type { OpaqueProbe } from './scan.ts';
import { makePrivateDirectory, openStateDirectory } from './state-directory.ts';

export type RunStoreOptions = {
  /** Default: `openStateDirectory()`. Made if it is not there. */
  readonly stateDirectory?: string;
  /** Milliseconds since 1970, for a test that owns time. */
  readonly now?: () => number;
};

export type OpenRunRequest = { readonly command: readonly string[]; readonly directory: string; readonly profile: ProfileName };

export type CloseRunRequest = {
  /** Absent when the sandbox broke and nobody knows. */
  readonly exit?: Exit | RunExit;
  /** Seals the layer at once: later, what the host changed since the end cannot be told from what it changed during the run. */
  readonly probe?: OpaqueProbe;
  readonly signal?: AbortSignal;
};

export type RunList = {
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  /** Runs whose record cannot be read, each with a fault that names the file. */
  readonly damaged: readonly { readonly id: string; readonly fault: Fault }[];
};

const RECORD_BYTES_MAX = 16 * 1_048_576;
/** Younger ones may be in the making and not locked yet. */
const LEFTOVER_AGE_MS = 60_000;
/** How many of the runs a prefix fits an error names. */
const CANDIDATES_MAX = 10;

export class RunStore {
  readonly directory: string;
  readonly #now: () => number;

  private constructor(directory: string, now: () => number) {
    this.directory = directory;
    this.#now = now;
  }

  /** Throws `permission_denied` or `invalid_argument` with the path and what to do next. */
  static open(options: RunStoreOptions = {}): RunStore {
    const state = options.stateDirectory ?? openStateDirectory();
    makePrivateDirectory(state);
    const runs = join(realpathSync(state), 'runs');
    makePrivateDirectory(runs);
    return new RunStore(runs, options.now ?? Date.now);
  }

  /**
   * Records a run before it starts and makes its empty layer. The caller holds the run, and ends it with `closeRun`; disposing it unclosed
   * leaves a run that counts as crashed. Throws `invalid_argument`, `not_found`, `storage_full`.
   */
  async openRun(request: OpenRunRequest): Promise<HeldRun> {
    const directory = this.#canonical(request.directory);
    await this.#clearAway();
    const nowMs = this.#now();
    const id = createRunId(nowMs);
    const making = join(this.directory, `.new-${id}`);
    const final = this.pathOf(id);
    let lock: RunLock | undefined;
    try {
      mkdirSync(making, { mode: 0o700 });
      lock = RunLock.acquire(making, id);
      const startedNs = makeLayer(making, directory);
      const record: RunRecord = {
        id,
        createdAt: new Date(nowMs).toISOString(),
        command: [...request.command],
        directory,
        profile: request.profile,
        status: 'open',
        startedNs,
        layer: { state: 'pending', isUndoable: false },
      };
      writeAtomically(runPaths(making).record, recordToText(record));
      renameSync(making, final);
      lock = lock.moved(final);
      syncDirectory(this.directory);
      return new HeldRun(final, record, lock);
    } catch (error) {
      lock?.[Symbol.dispose]();
      await removeTree(making, new Pace());
      throw fileFault(error, `Cannot open a run in ${this.directory}`);
    }
  }

  /**
   * Records how a run ended, seals its layer if a probe is given, and gives it free. When the layer cannot be sealed, the end is recorded all
   * the same and the next review tries again. Throws what `sealLayer` does.
   */
  async closeRun(run: HeldRun, request: CloseRunRequest = {}): Promise<RunRecord> {
    using held = run;
    const endedAt = new Date(this.#now()).toISOString();
    const ended: RecordChanges = { status: 'ended', endedAt, ...(request.exit === undefined ? {} : { exit: exitRecord(request.exit) }) };
    if (request.probe === undefined) {
      held.save(ended);
      return held.record;
    }
    try {
      await sealLayer(held, { probe: request.probe, ...(request.signal === undefined ? {} : { signal: request.signal }) }, ended);
    } catch (error) {
      held.trySave(ended);
      throw error;
    }
    return held.record;
  }

  /** The run with this id, or the only one whose id begins so. Throws `not_found`, `invalid_argument` (several; the message lists them), `internal` (damaged). */
  getRun(idOrPrefix: string): RunRecord {
    return this.#read(this.#resolve(idOrPrefix));
  }

  listRuns(): RunList {
    const runs: RunRecord[] = [];
    const damaged: { readonly id: string; readonly fault: Fault }[] = [];
    for (const id of this.#ids().toReversed()) {
      try {
        runs.push(this.#read(id));
      } catch (error) {
        if (!isFault(error)) throw error;
        if (error.code !== 'not_found') damaged.push({ id, fault: error }); // Not found: it was removed meanwhile.
      }
    }
    return { runs, damaged };
  }

  /** The newest run, of any directory or of this one (or one above it). Damaged ones do not count. */
  findLatestRun(directory?: string): RunRecord | undefined {
    const canonical = directory === undefined ? undefined : canonicalDirectory(directory);
    return this.listRuns().runs.find((run) => canonical === undefined || contains(run.directory, canonical));
  }

  /** Takes a run for oneself: nobody else can use it until the result is disposed. A run nobody closed is marked as crashed. Throws `busy`, `not_found`. */
  holdRun(idOrPrefix: string): HeldRun {
    const id = this.#resolve(idOrPrefix);
    const directory = this.pathOf(id);
    const lock = RunLock.acquire(directory, id);
    try {
      const record = this.#readFile(id);
      const held = new HeldRun(directory, record, lock);
      if (record.status === 'open') held.save({ status: 'crashed' });
      return held;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Throws `busy` while a run (or somebody who applies or undoes it) uses its layer. */
  refuseBusy(id: RunId): void {
    const pid = RunLock.ownerPid(this.pathOf(id));
    if (pid !== undefined) {
      throw new Fault('busy', `Cannot read the layer of run ${id}: process ${pid} is using it`, { details: { runId: id, pid } });
    }
  }

  /** Forgets a run, with its layer and what could undo it. Also a damaged one. Throws `busy`, `not_found`. */
  async removeRun(idOrPrefix: string): Promise<void> {
    const id = this.#resolve(idOrPrefix);
    const directory = this.pathOf(id);
    const lock = RunLock.acquire(directory, id);
    const leaving = join(this.directory, `.gone-${id}`);
    try {
      renameSync(directory, leaving);
      syncDirectory(this.directory);
    } catch (error) {
      lock[Symbol.dispose]();
      throw fileFault(error, `Cannot remove run ${id}`);
    }
    try {
      await removeTree(leaving, new Pace());
    } catch (error) {
      throw fileFault(error, `Cannot remove all of run ${id}, ${leaving} is left`);
    }
  }

  /** Where a run lies. */
  pathOf(id: RunId): string {
    return join(this.directory, id);
  }

  #resolve(idOrPrefix: string): RunId {
    const prefix = idOrPrefix.toLowerCase().replaceAll('o', '0').replaceAll(/[il]/g, '1'); // As Crockford has them read.
    const found = /^[0-9a-z]{1,12}$/.test(prefix) ? this.#ids().filter((id) => id.startsWith(prefix)) : [];
    const [first] = found;
    if (first === undefined) {
      throw new Fault('not_found', `There is no run ${JSON.stringify(idOrPrefix.slice(0, 40))}`, {
        details: { run: idOrPrefix.slice(0, 40) },
      });
    }
    if (found.length === 1) return first;
    const named = found.slice(-CANDIDATES_MAX);
    const more = found.length > named.length ? ` and ${found.length - named.length} more` : '';
    throw new Fault('invalid_argument', `Several runs begin with "${prefix}": ${named.join(', ')}${more}`, {
      details: { candidates: named },
    });
  }

  #ids(): RunId[] {
    return readdirSync(this.directory).filter(isRunId).sort();
  }

  /** As the record says, but a run that is open and has no living owner has crashed. */
  #read(id: RunId): RunRecord {
    const record = this.#readFile(id);
    return record.status === 'open' && RunLock.ownerPid(this.pathOf(id)) === undefined ? { ...record, status: 'crashed' } : record;
  }

  #readFile(id: RunId): RunRecord {
    const path = runPaths(this.pathOf(id)).record;
    try {
      if (lstatSync(path).size > RECORD_BYTES_MAX) throw new Error(`it is larger than ${RECORD_BYTES_MAX} bytes`);
      const record = readRecord(readFileSync(path, 'utf8'));
      if (record.id !== id) throw new Error(`it is the record of ${record.id}`);
      return record;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && !isThere(this.pathOf(id))) throw new Fault('not_found', `There is no run ${id}`);
      const reason = error instanceof Error ? error.message : String(error);
      throw new Fault('internal', `Cannot read the record of run ${id}, ${path}: ${reason}. Next: restore the file, or remove the run`, {
        details: { runId: id, path },
        cause: error,
      });
    }
  }

  #canonical(path: string): string {
    const directory = canonicalDirectory(path);
    // An overlay cannot have its upper side below its lower one, and the agent would see every other run.
    if (contains(directory, this.directory)) {
      const next = 'set WARREN_STATE to a directory outside, or run in a smaller directory';
      throw new Fault('invalid_argument', `Cannot run in ${directory}: the state directory ${this.directory} lies in it. Next: ${next}`);
    }
    if (contains(this.directory, directory)) {
      throw new Fault('invalid_argument', `Cannot run in ${directory}: it belongs to the state directory ${this.directory}`);
    }
    return directory;
  }

  /** What a killed open or remove left. */
  async #clearAway(): Promise<void> {
    for (const name of readdirSync(this.directory)) {
      if (!/^\.(?:new|gone)-/.test(name)) continue;
      const leftover = join(this.directory, name);
      try {
        const isFresh = this.#now() - lstatSync(leftover).mtimeMs < LEFTOVER_AGE_MS;
        if (!isFresh && RunLock.ownerPid(leftover) === undefined) await removeTree(leftover, new Pace());
      } catch {
        // It may be going away this moment, or not be ours to remove. It harms nobody, and the next open tries again.
      }
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
