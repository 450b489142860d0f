/**
 * Connections to a server that is known by its certificate alone: the one with this fingerprint, whoever signed it and whatever name is in it. It is looked at before
 * anything is sent. No session is taken up again, so it is looked at each time.
 */
import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { Fault } from '@warren/protocol';

const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

export class PinnedAgent extends Agent {
  readonly #fingerprint: string;

  constructor(fingerprint: string, options: ConstructorParameters<typeof Agent>[0]) {
    super({ ...options, maxCachedSessions: 0 });
    this.#fingerprint = fingerprint;
  }

  override createConnection(options: ConnectionOptions, done: (error: Error | null, stream: Duplex) => void): undefined {
    const socket = connect({ ...options, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const fail = (error: Error): void => done(error, socket);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      const found = socket.getPeerX509Certificate()?.fingerprint256;
      if (found !== this.#fingerprint) {
        socket.destroy(foreign(this.#fingerprint, found));
        return;
      }
      socket.off('error', fail);
      done(null, socket);
    });
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
      details: { expected: known, found: found ?? null },
    },
  );
}
