/** Speaks TLS with a command in the place of the host it asked for. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import { EgressRefusal } from '../egress.ts';

/** Of a record that begins a handshake; no request of HTTP begins with it. */
const HANDSHAKE = 0x16;

/**
 * Whether what comes over the connection first is TLS; it is left to be read. Undefined when the connection ends before. Nothing is said first in either
 * protocol by a server, so waiting for the command holds nobody up.
 */
export async function beginsTls(client: Duplex): Promise<boolean | undefined> {
  for (;;) {
    if (client.destroyed || client.readableEnded) return undefined;
    const head = client.read() as Buffer | null;
    if (head !== null && head.length > 0) {
      client.unshift(head);
      return head[0] === HANDSHAKE;
    }
    await Promise.race([once(client, 'readable'), once(client, 'close'), once(client, 'end')]).catch(() => {});
  }
}

/**
 * The handshake, with HTTP/1.1 as the only protocol: who offers others alone is told so in TLS. Owns neither connection when it throws `EgressRefusal`: the
 * caller closes `client`. The name in the handshake has to be the host's, or none: with another it would be two hosts in one connection.
 */
export async function openTls(client: Duplex, host: string, context: SecureContext): Promise<TLSSocket> {
  const { TLSSocket } = await import('node:tls');
  // Whatever stream it is, Node wraps it.
  const tls = new TLSSocket(client as Socket, { isServer: true, secureContext: context, ALPNProtocols: ['http/1.1'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  tls.once('secure', resolve);
  tls.once('_tlsError', reject);
  tls.once('close', () => reject(new Error('the connection ended')));
  tls.on('error', reject); // Also later, when nobody waits: its end says all.
  try {
    await promise;
  } catch (error) {
    tls.destroy();
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'the connection ended';
    throw new EgressRefusal('tls_failed', host, `Cannot speak TLS with the command in the place of ${host}: ${why}`, { cause: error });
  }
  tls.allowHalfOpen = false; // As with hosts.
  // At most one of the two ends alone; what was written before is flushed.
  tls.once('close', () => (client.writableFinished ? client.destroy() : client.end(() => client.destroy())));
  client.once('close', () => tls.destroy());
  return tls;
}

/** Of the name in the handshake. */
export function requireSameName({ servername }: TLSSocket & { readonly servername?: string | false | null }, host: string): void {
  if (typeof servername !== 'string' || servername === '' || servername.toLowerCase() === host) return;
  throw new EgressRefusal('invalid_request', host, `Cannot speak TLS with ${host}: its handshake names another host`);
}
