/** Errors the gate itself answers. */
export const GATE_ERRORS = [
  'UnknownCapability',
  'InvalidInput',
  'Vetoed',
  'PolicyDenied',
  'RateLimited',
  'ApprovalRejected',
  'ApprovalExpired',
  'GrantMissing',
  'PathOutOfScope',
  'DomainNotAllowed',
  'BudgetExceeded',
  'ProcessSuspended',
  'TooManyCalls',
  'Timeout',
  'Cancelled',
  'OutcomeUnknown',
  'OutputTooLarge',
  'InternalError',
] as const;
export type GateErrorType = (typeof GATE_ERRORS)[number];
