/** The way out of a sandbox: its proxy, and the relay that leads to it. */
import { Fault } from '@warren/protocol';
import type { EgressOptions } from '../../egress/create-egress.ts';
import type { EgressNetwork } from '../../egress/proxy/egress-network.ts';
import { type RelayedNetwork, relayedWayOut, type WayOut } from '../../egress/proxy/relayed-network.ts';
import type { GuestClient } from '../../guest/guest-client.ts';
import { Relay } from '../../guest/relay.ts';

/** Where commands find the proxy, on 127.0.0.1. */
const PORT = 3_128;
const PROXY = `http://127.0.0.1:${PORT}`;
const OWN = 'localhost,127.0.0.1,::1';

/** In both cases: curl takes only the lower one for http, others only the upper. */
export const EGRESS_ENVIRONMENT: Readonly<Record<string, string>> = {
  HTTP_PROXY: PROXY,
  HTTPS_PROXY: PROXY,
  ALL_PROXY: PROXY,
  NO_PROXY: OWN,
  http_proxy: PROXY,
  https_proxy: PROXY,
  all_proxy: PROXY,
  no_proxy: OWN,
  NODE_USE_ENV_PROXY: '1',
};

/** What speaks to a network is loaded by whoever wants that. The caller owns it. Throws `invalid_argument` for rules that are none. */
export async function openProxy(network: EgressNetwork | RelayedNetwork, options: EgressOptions | undefined): Promise<WayOut> {
  if (network.kind === 'relayed') return relayedWayOut(network);
  const { openSandboxProxy } = await import('../../egress/proxy/open-sandbox-proxy.ts');
  return openSandboxProxy(network, options);
}

/** Before anything is started in it. Throws `wall_unavailable` when nobody would listen. */
export async function connectProxy(client: GuestClient, proxy: WayOut): Promise<void> {
  void client.closed.then(() => proxy[Symbol.asyncDispose]());
  const relay = new Relay(client, { port: PORT, serve: (connection) => proxy.serve(connection) });
  await client.ping();
  if (relay.failure === undefined) return;
  throw new Fault('wall_unavailable', `Cannot start a sandbox with egress: nothing can listen on port ${PORT} inside`, {
    details: { wall: 'egress', stage: 'relay' },
  });
}
