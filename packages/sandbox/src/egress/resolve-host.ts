/** Turns a name into addresses, once for each connection. The answer of DNS alone counts: no search domains, no file of hosts, no cache. */
import { Resolver } from 'node:dns/promises';
import { EgressRefusal } from './egress.ts';

/** Every address of a name, IPv4 first; empty when it has none. Throws `EgressRefusal` with `not_resolved`, or the signal's reason. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

export type ResolverOptions = {
  /** As `192.0.2.1` or `[2001:db8::1]:5353`. Default: those of this machine. */
  readonly servers?: readonly string[] | undefined;
  /** How long a server has for an answer, before the next one is asked. */
  readonly attemptMs?: number | undefined;
};

const ATTEMPT_MS = 3_000;
const ATTEMPTS = 2;
const ADDRESSES_MAX = 64;
const NOTHING_THERE: ReadonlySet<unknown> = new Set(['ENODATA', 'ENOTFOUND']);

export function dnsResolver({ servers, attemptMs = ATTEMPT_MS }: ResolverOptions = {}): Resolve {
  return async (name, signal) => {
    signal.throwIfAborted();
    const resolver = new Resolver({ timeout: attemptMs, tries: ATTEMPTS });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      signal.throwIfAborted();
      return addressesIn(name, answers);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
}

function addressesIn(name: string, answers: readonly PromiseSettledResult<readonly string[]>[]): readonly string[] {
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > ADDRESSES_MAX) throw refuse(name, `it has ${addresses.length} addresses, the limit is ${ADDRESSES_MAX}`);
  if (addresses.length > 0) return addresses;
  // Half an answer is one, but nothing and a failure is a failure.
  const failure = answers.find((answer) => answer.status === 'rejected' && !NOTHING_THERE.has(codeOf(answer.reason)));
  if (failure?.status === 'rejected') throw refuse(name, `DNS failed (${String(codeOf(failure.reason))})`, failure.reason);
  throw refuse(name, 'it has no address');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function refuse(name: string, why: string, cause?: unknown): EgressRefusal {
  return new EgressRefusal('not_resolved', name, `Cannot resolve ${name}: ${why}`, cause === undefined ? undefined : { cause });
}
