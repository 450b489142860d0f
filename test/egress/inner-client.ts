/** A command's end of a tunnel that the proxy opens: TLS over a connection to the proxy. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { SandboxProxy } from '../../packages/sandbox/src/egress/proxy/sandbox-proxy.ts';

export type InnerOptions = {
  /** What the command trusts. Default: the authority of the sandbox. */
  readonly ca?: string | undefined;
  readonly servername?: string | undefined;
  readonly protocols?: readonly string[] | undefined;
};

/** A connection after `CONNECT host:port` was answered with 200. */
export async function openTunnel(proxy: SandboxProxy, authority: string): Promise<Duplex> {
  const [ours, theirs] = duplexPair();
  ours.once('close', () => theirs.destroy()); // As a connection does.
  theirs.once('close', () => ours.destroy());
  proxy.serve(theirs);
  ours.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const ended = once(ours, 'close').then(() => {
    throw new Error('the connection ended');
  });
  ended.catch(() => {}); // It ends some time.
  const [head] = (await Promise.race([once(ours, 'data'), ended])) as [Buffer];
  ours.pause();
  if (!head.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(head.toString('latin1'));
  return ours;
}

/** Throws what TLS throws. */
export async function openInner(proxy: SandboxProxy, authority: string, options: InnerOptions = {}): Promise<TLSSocket> {
  const tunnel = await openTunnel(proxy, authority);
  const [host = ''] = authority.split(':');
  const { ca = proxy.certificate ?? '', servername = host, protocols } = options;
  const tls = connect({ socket: tunnel as Socket, ca, servername, ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }) });
  try {
    await once(tls, 'secureConnect');
    return tls;
  } catch (error) {
    tunnel.destroy();
    throw error;
  }
}

/** Says something and reads what comes until the other side ends, or until `enough` says so. */
export async function sayInside(connection: Duplex, bytes: string | Uint8Array, enough?: (text: string) => boolean): Promise<string> {
  let text = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  connection.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (enough?.(text) === true) resolve();
  });
  for (const event of ['end', 'close', 'error']) connection.once(event, () => resolve());
  connection.resume();
  connection.write(bytes);
  await promise;
  connection.destroy();
  return text;
}
