import { type FaultCode, isFault } from '@warren/protocol';

/** The commands whose failure to open the store has an exit code of its own. */
const STORE_COMMANDS = new Set(['serve', 'status', 'stop', 'backup', 'restore', 'token', 'workspace', 'kernel', 'doctor']);
/** The store cannot be opened, or used. Starting again will not help. */
const STORE_FAILURE = 3;
const STORE_CODES: ReadonlySet<FaultCode> = new Set(['store_failed', 'schema_mismatch', 'storage_full']);

/** Undefined when it is no failure of the store. */
export function storeExitCode(command: string | undefined, error: unknown): number | undefined {
  if (command === undefined || !STORE_COMMANDS.has(command) || !isFault(error) || !STORE_CODES.has(error.code)) return undefined;
  return STORE_FAILURE;
}
