/** Builds the way out of one sandbox: a guard of its own and the proxy in front of it. */
import { createEgress, type EgressOptions } from '../create-egress.ts';
import { SYSTEM_CLOCK } from '../deadline.ts';
import type { EgressNetwork } from './egress-network.ts';
import { SandboxProxy } from './sandbox-proxy.ts';

/** Connections of one sandbox to hosts, at once. */
const UPSTREAM_MAX = 256;

/** The caller owns it. Throws the fault `invalid_argument` for rules or networks that are none. */
export function openSandboxProxy(network: EgressNetwork, options: EgressOptions = {}): SandboxProxy {
  const privateNetworks = [...(options.privateNetworks ?? []), ...(network.privateNetworks ?? [])];
  const guard = createEgress({ openMax: UPSTREAM_MAX, ...options, privateNetworks });
  return new SandboxProxy({ network, guard, clock: options.clock ?? SYSTEM_CLOCK, tls: options.tls ?? {} });
}
