/** What an answer of HTTP says: the result of a call, or the fault to throw. Whoever answers may be no daemon at all. */
import { Fault, faultFromError } from '@warren/protocol';
import { retryAfterMs } from './repeat-call.ts';
import type { WireAnswer, WireHead } from './transport.ts';

export function readResult(answer: WireAnswer, id: number, address: string): unknown {
  const document = parse(answer.body);
  if (document === undefined || 'error' in document) throw refusalOf(answer, answer.body, address);
  if (!('result' in document) || !('id' in document) || document.id !== id) throw refusalOf(answer, '', address);
  return document.result;
}

/** The fault of an answer that is not what was asked for. */
export function refusalOf(head: WireHead, body: string, address: string): Fault {
  const document = parse(body);
  if (document !== undefined && 'error' in document) return withRetryAfter(faultFromError(document.error), head);
  const { status } = head;
  if (status === 400 && body.startsWith(PLAIN_TO_TLS)) {
    const fix = `use ${address.replace(/^http:/, 'https:')}`;
    return new Fault('unavailable', `Cannot talk to ${address}: this port speaks TLS`, { details: { status, is_sent: false, fix } });
  }
  if (GATEWAY_STATUSES.has(status)) {
    const fault = new Fault('unavailable', `Cannot reach ${address}: a proxy answers for it, with HTTP ${status}`, {
      details: { status, is_sent: true },
    });
    return withRetryAfter(fault, head);
  }
  return new Fault('protocol_error', `Cannot understand ${address}: it answers with HTTP ${status}, as no daemon does`, {
    details: { status },
  });
}

/** What a daemon with TLS says to whoever speaks without. It has read nothing then. */
const PLAIN_TO_TLS = 'This port speaks TLS';

/** What proxies say when there is nobody behind them. */
const GATEWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** A wait that only the header asks for is put where callers look for it. */
function withRetryAfter(fault: Fault, { retryAfter }: WireHead): Fault {
  if (!/^\d{1,6}$/.test(retryAfter) || retryAfterMs(fault) > 0) return fault;
  return new Fault(fault.code, fault.message, { details: { ...fault.details, retry_after_ms: Number(retryAfter) * 1_000 }, cause: fault });
}

/** Undefined for what is no object of JSON. */
function parse(body: string): object | undefined {
  try {
    const document: unknown = JSON.parse(body);
    return typeof document === 'object' && document !== null ? document : undefined;
  } catch {
    return undefined; // Not ours, then.
  }
}
