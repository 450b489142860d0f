import type { ClosedRecord, OpenRecord } from '../internal/records.ts';
import type { TalliedRequest } from '../internal/request-tally.ts';
import type { Ended } from './run-output.ts';

/** What `warren run --json` prints. */
export function runDocument(
  record: OpenRecord | undefined,
  closed: ClosedRecord | undefined,
  ended: Ended,
  exitCode: number,
  requests: readonly TalliedRequest[] | undefined,
): object {
  return {
    /** Null when there is nothing to review. */
    run: closed?.isKept === true ? record?.id : null,
    exit: ended.exit,
    exitCode,
    usage: ended.exit.kind === 'not_started' ? null : ended.exit.usage,
    ...encoded('stdout', ended.stdout),
    ...encoded('stderr', ended.stderr),
    changes: closed?.changes ?? null,
    ...(requests !== undefined && { requests }),
  };
}

/** Text when it is UTF-8, base64 when it is not; the second field says which. */
function encoded(name: string, chunks: readonly Uint8Array[]): Readonly<Record<string, string>> {
  const bytes = Buffer.concat(chunks);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { [name]: text, [`${name}Encoding`]: 'utf8' };
  } catch {
    return { [name]: bytes.toString('base64'), [`${name}Encoding`]: 'base64' }; // Not UTF-8.
  }
}
