import { createLocalCalls } from '@warren/gateway';
import { openKernel } from '@warren/kernel';
import type { Fault } from '@warren/protocol';
import type { Operations } from '../internal/operations.ts';
import { VERSION } from '../version.ts';

/** The operations on a store that nobody writes. `cannotFollow` is thrown to who wants to see what happens: nothing does. */
export async function openStoreOperations(stateDirectory: string, workspace: string, cannotFollow: () => Fault): Promise<Operations> {
  const kernel = await openKernel({ directory: stateDirectory, isReadOnly: true });
  const call = createLocalCalls(kernel, VERSION);
  return {
    kind: 'store',
    call: (name, params, options) => call(name, params, { workspace, ...options }),
    events() {
      throw cannotFollow();
    },
    [Symbol.asyncDispose]: () => kernel.close(),
  };
}
