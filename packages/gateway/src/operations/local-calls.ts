/** Operations without a wire: called by a program that holds the kernel itself, as an operator. The same handlers, checks and faults. */
import type { Kernel } from '@warren/kernel';
import { Fault, type JsonObject } from '@warren/protocol';
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import { Places } from '../caller/places.ts';
import { createMethods } from './create-methods.ts';

export type LocalCallOptions = {
  /** Default: the default one. */
  readonly workspace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type LocalCalls = <Name extends OperationName>(
  name: Name,
  params: ParamsInput<Name>,
  options?: LocalCallOptions,
) => Promise<Result<Name>>;

/** Who holds the kernel has no more of it to gain. */
const UNBOUNDED = Number.POSITIVE_INFINITY;
const NEVER = new AbortController().signal;

/** There is no daemon to stop, and it listens nowhere. */
export function createLocalCalls(kernel: Kernel, version: string): LocalCalls {
  const methods = createMethods({
    kernel,
    waits: new Places({ most: UNBOUNDED, forOperators: 0, perProcess: UNBOUNDED, perMember: UNBOUNDED }),
    metrics: () => kernel.metrics(),
    daemon: {
      version,
      startedAt: Date.now(),
      addresses: [],
      fingerprint: undefined,
      connections: 0,
      isDraining: false,
      stop() {
        throw new Fault('unsupported', 'Cannot stop the daemon: there is none');
      },
    },
  });
  return async <Name extends OperationName>(
    name: Name,
    params: ParamsInput<Name>,
    { workspace, signal = NEVER }: LocalCallOptions = {},
  ) => {
    const method = methods.get(name);
    if (method === undefined) throw new Fault('unsupported', `Cannot call ${name}: there is no such method`);
    const caller = {
      principal: { kind: 'operator' },
      name: undefined,
      groups: [],
      tokenId: undefined,
      workspace,
      traceParent: undefined,
      gone: () => signal,
      signal: () => signal,
    } as const;
    return (await method(params as JsonObject, caller)) as Result<Name>; // Parameters are checked like those of strangers; the handler of this name answered.
  };
}
