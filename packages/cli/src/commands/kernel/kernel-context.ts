import type { Host } from '../../internal/host.ts';
import type { Operations } from '../../internal/operations.ts';
import { safeJson } from '../../internal/safe-text.ts';

/** What a view is shown with. */
export type KernelContext = { readonly operations: Operations; readonly host: Host };

export async function printJson(host: Host, document: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(document, 2)}\n`);
  return 0;
}

/** One a line, for what goes on. */
export async function printJsonLine(host: Host, document: unknown): Promise<void> {
  await host.stdout.write(`${safeJson(document)}\n`);
}

export function widthOf(host: Host): number {
  return host.stdout.size?.columns ?? Number.POSITIVE_INFINITY;
}
