/** How the proxy says no: in HTTP, with a reason for programs and words for whoever reads them. */
import { Fault } from '@warren/protocol';
import { EgressRefusal } from '../egress.ts';
import type { DenialReason } from './egress-network.ts';

export type Denial = {
  readonly status: number;
  /** Whether it was refused by a rule or check; else it could not be done. */
  readonly kind: 'denied' | 'failed';
  readonly reason: DenialReason;
  readonly host: string;
  readonly message: string;
};

/** What the proxy refuses by itself, rather than the guard behind it. */
export class RequestDenied extends Error {
  override readonly name = 'RequestDenied';
  readonly reason: DenialReason;
  readonly host: string;

  constructor(reason: DenialReason, host: string, message: string) {
    super(message);
    this.reason = reason;
    this.host = host;
  }
}

const STATUS: Partial<Readonly<Record<DenialReason, number>>> = {
  host_not_allowed: 403,
  request_not_allowed: 403,
  address_not_public: 403,
  policy_denied: 403,
  approval_required: 403,
  budget_exceeded: 403,
  secret_not_bound: 403,
  secret_misplaced: 403,
  invalid_url: 400,
  invalid_request: 400,
  too_large: 431,
  deadline: 504,
  busy: 503,
  unavailable: 503,
};
const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  431: 'Headers Too Large',
  503: 'Unavailable',
  504: 'Timeout',
};
const DENIED: ReadonlySet<number> = new Set([400, 403, 431]);

/** Only a refusal's own words get out. */
export function denialOf(error: unknown, host: string): Denial {
  if (error instanceof EgressRefusal || error instanceof RequestDenied) {
    const status = STATUS[error.reason] ?? 502;
    return { status, kind: DENIED.has(status) ? 'denied' : 'failed', reason: error.reason, host: error.host, message: error.message };
  }
  if (error instanceof Fault && error.code === 'busy') return { status: 503, kind: 'failed', reason: 'busy', host, message: error.message };
  if (error instanceof Error && 'code' in error)
    return {
      status: 502,
      kind: 'failed',
      reason: 'protocol_error',
      host,
      message: `Cannot read the answer of ${host}: ${String(error.code)}`,
    };
  return {
    status: 503,
    kind: 'failed',
    reason: 'unavailable',
    host,
    message: 'Cannot go on with this request: the sandbox or its proxy is ending, or refuses it',
  };
}

export function denialHead({ status, reason }: Denial): {
  readonly status: number;
  readonly phrase: string;
  readonly headers: readonly string[];
} {
  // The reason stands in the status line too: of a tunnel that is refused most clients show nothing else.
  const phrase = `${PHRASES[status] ?? 'Bad Gateway'} (warren: ${reason})`;
  return { status, phrase, headers: ['content-type', 'application/json', 'x-warren-egress', reason, 'connection', 'close'] };
}

export function denialBody({ reason, host, message, kind }: Denial): string {
  return `${JSON.stringify({ error: { type: `egress_${kind}`, reason, host, message } })}\n`;
}

/** The whole answer, for a connection that is no longer in the hands of Node's server. */
export function denialBytes(denial: Denial): string {
  const { status, phrase, headers } = denialHead(denial);
  const body = denialBody(denial);
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ''}`] : []));
  return [`HTTP/1.1 ${status} ${phrase}`, ...lines, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}
