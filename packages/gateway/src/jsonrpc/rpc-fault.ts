import { errorOfFault, Fault, type FaultCode, type FaultDetails, type JsonRpcError } from '@warren/protocol';

/** A fault that clients of an earlier system know by another number than ours. Its code and details stay what they are. */
export class RpcFault extends Fault {
  readonly number: number;

  constructor(number: number, code: FaultCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, { details: details as FaultDetails<FaultCode> }); // No code that is used here has details of a form of its own.
    this.number = number;
  }
}

export function errorOf(fault: Fault): JsonRpcError {
  const error = errorOfFault(fault);
  return fault instanceof RpcFault ? { ...error, code: fault.number } : error;
}
