import { networkInterfaces } from 'node:os';
import { canonicalAddress, readPrivateNetworks } from './check-address.ts';
import { type EgressClock, SYSTEM_CLOCK } from './deadline.ts';
import { pinnedDial, type TlsOptions } from './dial.ts';
import type { Egress } from './egress.ts';
import { GuardedEgress } from './guarded-egress.ts';
import { dnsResolver, type Resolve, type ResolverOptions } from './resolve-host.ts';

export type EgressOptions = {
  /** Instead of DNS. */
  readonly resolve?: Resolve | undefined;
  readonly dns?: ResolverOptions | undefined;
  readonly tls?: TlsOptions | undefined;
  /** How long one address of several has to answer. Default 5,000. */
  readonly connectMs?: number | undefined;
  readonly clock?: EgressClock | undefined;
  /** What an operator opens for all calls, as `EgressRules` says it. */
  readonly privateNetworks?: readonly string[] | undefined;
  /** Requests and look-ups at once; one more is the fault `busy`. Default 1,024. */
  readonly openMax?: number | undefined;
  /** Addresses of this machine besides those of its interfaces, as a public one that is translated in front of it. */
  readonly ownAddresses?: readonly string[] | undefined;
};

const OPEN_MAX = 1_024;

/**
 * The guard. Connections are not kept, no proxy and no cookie is taken from anywhere, so calls have nothing in common. The caller owns it. Throws the fault
 * `invalid_argument` for a malformed private network.
 */
export function createEgress(options: EgressOptions = {}): Egress {
  const clock = options.clock ?? SYSTEM_CLOCK;
  const given = options.ownAddresses ?? [];
  return new GuardedEgress({
    clock,
    resolve: options.resolve ?? dnsResolver(options.dns),
    dial: pinnedDial({ clock, attemptMs: options.connectMs }),
    tls: options.tls ?? {},
    privateNetworks: readPrivateNetworks(options.privateNetworks),
    ownAddresses: () => canonical([...given, ...interfaceAddresses()]),
    isPeer: isAmong,
    openMax: options.openMax ?? OPEN_MAX,
  });
}

/** Whether a peer is one of the addresses that were checked. */
export function isAmong(peer: string, dialled: readonly string[]): boolean {
  return canonical(dialled).includes(peer);
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address));
}

function canonical(addresses: readonly string[]): readonly string[] {
  return addresses.map(canonicalAddress).filter((address) => address !== undefined);
}
