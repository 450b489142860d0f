/** What a refusal of the egress guard is to an agent. */
import type { JsonObject } from '@warren/protocol';
import { type EgressReason, EgressRefusal } from '@warren/sandbox';
import { CapabilityError } from '../../capability/handler.ts';

/** Types that mean the same in every network capability; what is not here depends on what was tried. */
const TYPES: Partial<Readonly<Record<EgressReason, string>>> = {
  invalid_url: 'InvalidUrl',
  invalid_request: 'InvalidInput',
  host_not_allowed: 'DomainNotAllowed',
  address_not_public: 'DomainNotAllowed',
  deadline: 'Timeout',
};

/** `types` says what a reason means for this capability, `otherwise` what all that is not named means. What is no refusal stays what it is. */
export function refusalError(
  error: unknown,
  otherwise: string,
  types: Partial<Readonly<Record<EgressReason, string>>> = {},
  context: JsonObject = {},
): unknown {
  if (!(error instanceof EgressRefusal)) return error;
  const type = types[error.reason] ?? TYPES[error.reason] ?? otherwise;
  return new CapabilityError(type, error.message, {
    context: { ...context, reason: error.reason, ...(error.host === '' ? {} : { host: error.host }) },
    ...(error.bytes === 0 ? {} : { usage: { net_bytes: error.bytes } }),
    cause: error,
  });
}
