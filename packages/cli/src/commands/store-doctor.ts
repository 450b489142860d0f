/** `warren doctor --store`: whether the store is whole, and its directory private. Looks only, also beside a daemon that writes. */

import { lstatSync, readdirSync, type Stats, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import { type Check, printChecks } from '../internal/checks.ts';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { ownerAdvice } from '../internal/owner-advice.ts';
import { safeJson } from '../internal/safe-text.ts';
import { requireHere } from '../internal/server-link.ts';
import { shellWord } from '../internal/shell-words.ts';
import { formatSize } from '../internal/size.ts';
import { findHolder } from '../internal/state-holder.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import { withStoreAdvice } from '../internal/store-advice.ts';
import type { StateFlags } from '../program/state-options.ts';

export type StoreReport = {
  readonly schemaVersion: number;
  readonly bytes: number;
  /** Sentences; empty when all is well. */
  readonly problems: readonly string[];
  readonly counts: {
    readonly workspaces: number;
    readonly processes: number;
    readonly events: number;
    readonly entries: number;
    readonly files: number;
  };
};

export interface StoreDoctorParts {
  /** Reads everything. Throws what opening the store throws. */
  examine(stateDirectory: string): Promise<StoreReport>;
  readonly uid: number;
}

const STORE_FILE = 'kernel.db';
/** Below that a busy store is full in minutes. */
const FREE_BYTES_MIN = 64 * 2 ** 20;
const PROBLEMS_SHOWN = 20;

/** Returns 1 when anything is wrong. */
export async function storeDoctor(flags: StateFlags, host: Host, parts: StoreDoctorParts): Promise<number> {
  requireHere(flags, host, 'check the store');
  const directory = statePath(host, flags.state);
  const stat = look(directory, directory);
  if (stat === undefined || look(join(directory, STORE_FILE), directory) === undefined) {
    throw new Fault('not_found', `Cannot check the store of ${directory}: there is none`, {
      details: { path: directory, fix: `${nextCommand('serve', flags)}, which makes one` },
    });
  }
  const checks = [
    checkDirectory(directory, stat, parts.uid),
    checkFiles(directory, parts.uid),
    checkSpace(directory),
    checkDaemon(directory),
    ...(await checkStore(directory, flags, parts)),
  ];
  const isWell = checks.every(({ state }) => state !== 'missing');
  if (flags.json === true) {
    const shown = checks.map(({ name: check, word: state, detail, reason, fix }) => ({ check, state, detail, reason, fix }));
    await host.stdout.write(`${safeJson({ ok: isWell, state_directory: directory, checks: shown }, 2)}\n`);
  } else {
    await printChecks(host, checks);
    const wrong = checks.filter(({ state }) => state === 'missing').map(({ name }) => name);
    await host.stdout.write(`\n${isWell ? 'The store is whole.' : `Something is wrong: ${wrong.join(', ')}.`}\n`);
  }
  return isWell ? 0 : 1;
}

/** Undefined when there is nothing. */
function look(path: string, directory: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Fault('permission_denied', `Cannot check the store of ${directory}: this user may not look into it (${errno})`, {
      cause: error,
      details: { path: directory, errno, fix: ownerAdvice(directory) },
    });
  }
}

function checkDirectory(directory: string, stat: Stats, uid: number): Check {
  const name = 'directory';
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  const detail = `${directory}, mode ${mode}, of user ${stat.uid}`;
  if (stat.uid !== uid && uid !== 0) return bad(name, detail, 'it belongs to somebody else', 'choose a directory of your own with --state');
  if ((stat.mode & 0o077) !== 0) return bad(name, detail, 'others may look into it', `chmod 700 ${shellWord(directory)}`);
  return good(name, detail);
}

/** Everything of the kernel's: what is in it is for nobody else. */
function checkFiles(directory: string, uid: number): Check {
  const name = 'files';
  const files = readdirSync(directory).filter((file) => /^(?:kernel\.|daemon\.|warren\.sock)/.test(file));
  const open = files.filter((file) => {
    const stat = lstatSync(join(directory, file), { throwIfNoEntry: false });
    return stat !== undefined && !stat.isSymbolicLink() && ((stat.mode & 0o077) !== 0 || (stat.uid !== uid && uid !== 0));
  });
  if (open.length === 0) return good(name, `${count(files.length, 'file')}, all private`);
  const paths = open.map((file) => shellWord(join(directory, file)));
  return bad(name, open.join(', '), 'others may read or change them', `chmod go= ${paths.join(' ')}`);
}

function checkSpace(directory: string): Check {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const detail = `${formatSize(free)} free`;
  return free >= FREE_BYTES_MIN
    ? good('space', detail)
    : bad('space', detail, `less than ${formatSize(FREE_BYTES_MIN)}`, 'free some space on that disk (df -h)');
}

function checkDaemon(directory: string): Check {
  const pid = findHolder(directory);
  return good('daemon', pid === undefined ? 'none runs' : `process ${pid} has the store open`);
}

async function checkStore(directory: string, flags: StateFlags, parts: StoreDoctorParts): Promise<readonly Check[]> {
  let report: StoreReport;
  try {
    report = await parts.examine(directory);
  } catch (error) {
    const advised = withStoreAdvice(error, flags.state);
    if (!isFault(advised)) throw advised;
    const details: Readonly<Record<string, unknown>> = advised.details ?? {};
    const advice =
      typeof details['fix'] === 'string' ? details['fix'].replace(`${nextCommand('doctor --store', flags)}, then: `, '') : undefined; // Done.
    return [bad('store', advised.code, advised.message, advice)];
  }
  const { schemaVersion, bytes, problems, counts } = report;
  return [
    good('store', `${formatSize(bytes)}, schema v${schemaVersion}`),
    problems.length === 0
      ? good('integrity', 'every page and every reference')
      : bad(
          'integrity',
          count(problems.length, 'problem'),
          problems.slice(0, PROBLEMS_SHOWN).join('; '),
          nextCommand('restore --force FILE', flags),
        ),
    good(
      'contents',
      `${count(counts.workspaces, 'workspace')}, ${counts.processes} processes, ${count(counts.events, 'event')}, ${counts.entries} queue entries, ${count(counts.files, 'file')}`,
    ),
  ];
}

function good(name: string, detail: string): Check {
  return { name, state: 'enforced', word: 'good', detail };
}

function bad(name: string, detail: string, reason: string, fix: string | undefined): Check {
  return { name, state: 'missing', word: 'wrong', detail, reason, fix };
}
