/**
 * Connections to a server that is known by its certificate alone: the one with this fingerprint, whoever signed it and whatever name is in it. It is looked at before
 * anything is sent. No session is taken up again, so it is looked at each time.
 */
import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Fault } from '@warren/protocol';

const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;
/** How long connecting may take, until the certificate has been looked at. */
const HANDSHAKE_MS = 30_000;

/** `whileConnecting`: ends a connection that has not become one yet. Node keeps the `signal` of a request to itself. */
export type WhileConnecting = { readonly whileConnecting?: AbortSignal | undefined };

export class PinnedAgent extends Agent {
  readonly #fingerprint: string;
  readonly #handshakeMs: number;
  /** Whose certificate was not looked at yet: neither the agent nor a request knows of these. */
  readonly #connecting = new Set<TLSSocket>();

  constructor(fingerprint: string, options: ConstructorParameters<typeof Agent>[0], handshakeMs = HANDSHAKE_MS) {
    super({ ...options, maxCachedSessions: 0 });
    this.#fingerprint = fingerprint;
    this.#handshakeMs = handshakeMs;
  }

  override createConnection(
    { whileConnecting: signal, ...options }: ConnectionOptions & WhileConnecting,
    done: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const socket = connect({ ...options, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const timer = setTimeout(() => socket.destroy(cut('ETIMEDOUT')), this.#handshakeMs);
    const giveUp = (): void => void socket.destroy(cut('ECONNABORTED'));
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      this.#connecting.delete(socket);
      done(error, socket);
    };
    this.#connecting.add(socket);
    socket.once('error', settle);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    socket.once('secureConnect', () => {
      const found = socket.getPeerX509Certificate()?.fingerprint256;
      if (found !== this.#fingerprint) {
        socket.destroy(foreign(this.#fingerprint, found));
        return;
      }
      socket.off('error', settle);
      settle(null);
    });
  }

  override destroy(): void {
    for (const socket of this.#connecting) socket.destroy(cut('ECONNRESET'));
    super.destroy();
  }
}

/** As `warren status` says it; small letters and a `sha256:` in front are fine. Throws `invalid_argument`. */
export function readFingerprint(text: string): string {
  const digits = text.replace(/^sha256[:=]/i, '').toUpperCase();
  const parted = /^[0-9A-F]{64}$/.test(digits) ? (digits.match(/../g) ?? []).join(':') : digits;
  if (FINGERPRINT.test(parted)) return parted;
  throw new Fault('invalid_argument', 'Cannot use the fingerprint: it is not the SHA-256 of a certificate, 64 hexadecimal digits', {
    details: { field: 'fingerprint' },
  });
}

function foreign(known: string, found: string | undefined): Fault {
  return new Fault(
    'permission_denied',
    `Cannot trust the server: its certificate has SHA-256 ${found ?? 'unknown'}, and ${known} is expected`,
    {
      details: { expected: known, found: found ?? null, is_certificate: true },
    },
  );
}

function cut(code: string): Error {
  return Object.assign(new Error('The connection was given up before the certificate was seen'), { code });
}
