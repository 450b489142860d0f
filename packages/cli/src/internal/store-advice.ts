/** What to do when the store of a state directory cannot be opened: every such fault gets a next command to type. */
import { Fault, type FaultCode, isFault } from '@warren/protocol';
import { nextCommand } from './state-path.ts';

/** The same fault with advice, where there is any. What is no fault stays what it is. */
export function withStoreAdvice(error: unknown, flag: string | undefined): unknown {
  if (!isFault(error)) return error;
  const details: Readonly<Record<string, unknown>> = error.details ?? {};
  const fix = details['fix'] ?? adviceFor(error, details, flag);
  if (fix === undefined) return error;
  return new Fault<FaultCode>(error.code, error.message, { details: { ...details, fix }, cause: error });
}

function adviceFor(error: Fault, details: Readonly<Record<string, unknown>>, flag: string | undefined): string | undefined {
  const ofPlatform = adviceForPlatform(details, flag);
  if (ofPlatform !== undefined) return ofPlatform;
  switch (error.code) {
    case 'busy':
      return typeof details['pid'] === 'number'
        ? `${nextCommand('status', { state: flag })}, or: ${nextCommand('stop', { state: flag })}`
        : undefined;
    case 'schema_mismatch':
      return Number(details['found']) < Number(details['expected'])
        ? `${nextCommand('serve', { state: flag })}, which upgrades it`
        : `upgrade Warren, or: ${nextCommand('restore --force FILE', { state: flag })}`;
    case 'store_failed':
      return adviceForSqlite(details['sqlite'], flag);
    case 'storage_full':
      return `free some space (df -h), then: ${nextCommand('doctor --store', { state: flag })}`;
    case 'not_found':
      return nextCommand('serve', { state: flag });
    default:
      return undefined;
  }
}

/** What stands beside the store, and a daemon cannot start without. */
function adviceForPlatform({ audit, start }: Readonly<Record<string, unknown>>, flag: string | undefined): string | undefined {
  if (audit !== undefined) {
    const look = audit === 'damaged' ? `${nextCommand('audit verify', { state: flag })}; ` : '';
    return `${look}put it back, or go on without it, which is recorded: ${nextCommand("audit restart --confirm 'WHY'", { state: flag })}`;
  }
  if (start === 'policies')
    return `correct them (${nextCommand('policy check', { state: flag })}), then: ${nextCommand('serve', { state: flag })}`;
  return start === 'config' ? `correct it, then: ${nextCommand('serve', { state: flag })}` : undefined;
}

/** By the code of SQLite (sqlite.org/rescode.html), of which the low byte is the kind. */
function adviceForSqlite(code: unknown, flag: string | undefined): string {
  switch (typeof code === 'number' ? code & 0xff : undefined) {
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return `${nextCommand('doctor --store', { state: flag })}, then: ${nextCommand('restore --force FILE', { state: flag })}`;
    case 10: // SQLITE_IOERR
      return 'look at the disk: df -h, dmesg';
    default:
      return 'make the state directory writable for this user, or choose another with --state';
  }
}
