/**
 * Faults: failures with a stable code that a caller can act on, mapped to each wire once, by the one table below.
 * Outcomes (an exit code, a refusal by policy) are values and never thrown; defects (a broken invariant) are assertions.
 */

/**
 * Every fault there is. Codes are stable strings; the numbers exist only on the wire. `retry` says that the same call may succeed later.
 * The JSON-RPC numbers -32000 to -32003 are left free: clients of the earlier systems give them a meaning of their own.
 */
export const FAULTS = {
  /** The request cannot be understood or asks for something absurd; the message names the field. */
  invalid_argument: { http: 400, rpc: -32602, retry: false },
  not_found: { http: 404, rpc: -32004, retry: false },
  permission_denied: { http: 403, rpc: -32005, retry: false },
  already_exists: { http: 409, rpc: -32006, retry: false },
  /** What the change was based on is no longer so, for example a file of the host changed since. */
  conflict: { http: 409, rpc: -32007, retry: false },
  unsupported: { http: 501, rpc: -32008, retry: false },
  too_large: { http: 413, rpc: -32009, retry: false },
  busy: { http: 503, rpc: -32010, retry: true },
  deadline: { http: 504, rpc: -32011, retry: false },
  /** The caller's own signal fired. */
  aborted: { http: 499, rpc: -32012, retry: false },
  storage_full: { http: 507, rpc: -32013, retry: false },
  /** A wall of the sandbox cannot be built here; nothing ran. Details: `WallDetails`. */
  wall_unavailable: { http: 503, rpc: -32020, retry: false },
  /** The spec asks for more than the backend enforces; it is refused, never weakened. */
  limit_unavailable: { http: 422, rpc: -32021, retry: false },
  sandbox_gone: { http: 410, rpc: -32022, retry: false },
  /** A guest sent malformed bytes; its sandbox is destroyed. */
  protocol_error: { http: 502, rpc: -32023, retry: false },
  /** Nobody, or somebody whose token is unknown, expired or revoked. */
  unauthenticated: { http: 401, rpc: -32014, retry: false },
  /** Too many calls or wrong tokens. Details: `retry_after_ms`. */
  rate_limited: { http: 429, rpc: -32015, retry: true },
  /** The store refused a write for a reason other than space: read-only, damaged, or of a newer version. */
  store_failed: { http: 500, rpc: -32016, retry: false },
  /** Nobody answers there, or the connection broke. Details: `is_sent`, false when the call was certainly not carried out. */
  unavailable: { http: 503, rpc: -32018, retry: true },
  /** It needs a secret, and the vault is not unlocked. Details: `fix`. */
  vault_locked: { http: 423, rpc: -32019, retry: false },
  /** What the caller held was taken back: its lease ran out and somebody else has the work. Details: `sched_id`, `fence`. */
  lease_lost: { http: 409, rpc: -32017, retry: false },

  // The kernel's own. Codes, numbers and details are those of an earlier system, whose clients read them.
  unknown_pid: { http: 404, rpc: -32102, retry: false }, // pid
  illegal_transition: { http: 409, rpc: -32103, retry: false }, // prev_state, target_state
  invalid_payload: { http: 400, rpc: -32104, retry: false }, // field
  schema_mismatch: { http: 500, rpc: -32105, retry: false }, // expected, found
  /** A child asks for more than its parent holds. */
  grant_exceeds_parent: { http: 403, rpc: -32111, retry: false }, // field
  grant_exists: { http: 409, rpc: -32112, retry: false }, // pid
  grant_not_found: { http: 404, rpc: -32113, retry: false }, // pid
  grant_invalid: { http: 400, rpc: -32114, retry: false }, // field
  ledger_not_found: { http: 404, rpc: -32121, retry: false }, // pid, dim
  ledger_exists: { http: 409, rpc: -32122, retry: false }, // pid, dim
  ledger_amount_invalid: { http: 400, rpc: -32123, retry: false }, // amount
  ledger_refund_invalid: { http: 409, rpc: -32124, retry: false }, // pid, dim, used, refund
  ledger_warn_invalid: { http: 400, rpc: -32125, retry: false }, // value
  queue_illegal_transition: { http: 409, rpc: -32131, retry: false }, // prev_state, op
  queue_entry_not_found: { http: 404, rpc: -32132, retry: false }, // sched_id
  queue_entry_invalid: { http: 400, rpc: -32133, retry: false }, // field
  queue_admission_denied: { http: 429, rpc: -32134, retry: true }, // pid, dim
  queue_state_invalid: { http: 400, rpc: -32135, retry: false }, // field
  mailbox_not_found: { http: 404, rpc: -32141, retry: false }, // pid
  mailbox_exists: { http: 409, rpc: -32142, retry: false }, // pid
  mailbox_full: { http: 429, rpc: -32143, retry: true }, // pid, queue_size
  mail_invalid: { http: 400, rpc: -32144, retry: false }, // field
  subscription_not_found: { http: 404, rpc: -32145, retry: false }, // pid, topic
  name_not_found: { http: 404, rpc: -32151, retry: false }, // name
  name_taken: { http: 409, rpc: -32152, retry: false }, // name
  name_invalid: { http: 400, rpc: -32153, retry: false }, // name
  file_not_found: { http: 404, rpc: -32161, retry: false }, // path
  file_exists: { http: 409, rpc: -32162, retry: false }, // path
  path_invalid: { http: 400, rpc: -32163, retry: false }, // path
  file_read_only: { http: 409, rpc: -32164, retry: false }, // path
  quota_exceeded: { http: 429, rpc: -32165, retry: false }, // pid, dim, used, hard_limit
  runner_state_illegal: { http: 409, rpc: -32171, retry: false }, // pid, state, expected
  runner_handshake_failed: { http: 502, rpc: -32172, retry: false }, // pid, reason
  runner_not_found: { http: 404, rpc: -32173, retry: false }, // pid
  runner_timeout: { http: 504, rpc: -32174, retry: true }, // pid, timeout_s

  /** Ours, never the caller's. */
  internal: { http: 500, rpc: -32603, retry: false },
} as const satisfies Record<string, { readonly http: number; readonly rpc: number; readonly retry: boolean }>;

export type FaultCode = keyof typeof FAULTS;

/** Which wall could not be built, at which step, and the command or setting that fixes it. */
export type WallDetails = {
  readonly wall: string;
  readonly stage: string;
  readonly call?: string | undefined;
  readonly path?: string | undefined;
  readonly errno?: string | undefined;
  readonly fix?: string | undefined;
};

/** Machine-readable facts beside the message. They reach the caller: no secret, no stack, no path the caller did not name. */
export type FaultDetails<Code extends FaultCode> = Code extends 'wall_unavailable' ? WallDetails : Readonly<Record<string, unknown>>;

export type FaultOptions<Code extends FaultCode> = {
  readonly details?: FaultDetails<Code> | undefined;
  readonly cause?: unknown;
};

/** A failure the caller can act on. The message names the action and both states, in the present tense, without a final period. */
export class Fault<Code extends FaultCode = FaultCode> extends Error {
  override readonly name = 'Fault';
  readonly code: Code;
  readonly details: FaultDetails<Code> | undefined;

  constructor(code: Code, message: string, options: FaultOptions<Code> = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details;
  }
}

/** Whether something caught is a fault, of this code when one is given. */
export function isFault<Code extends FaultCode = FaultCode>(error: unknown, code?: Code): error is Fault<Code> {
  return error instanceof Fault && (code === undefined || error.code === code);
}
