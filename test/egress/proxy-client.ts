/** A proxy as a sandbox has it, and raw bytes into it. */
import { duplexPair } from 'node:stream';
import type { EgressOptions } from '../../packages/sandbox/src/egress/create-egress.ts';
import type { EgressEvent, EgressNetwork } from '../../packages/sandbox/src/egress/proxy/egress-network.ts';
import { openSandboxProxy } from '../../packages/sandbox/src/egress/proxy/open-sandbox-proxy.ts';
import type { SandboxProxy } from '../../packages/sandbox/src/egress/proxy/sandbox-proxy.ts';

export type TestProxy = AsyncDisposable & {
  readonly proxy: SandboxProxy;
  readonly events: readonly EgressEvent[];
  /** Sends bytes and reads what comes until the proxy closes, or until `enough` says so. */
  readonly say: (bytes: string | Uint8Array, enough?: (text: string) => boolean) => Promise<string>;
};

export function startProxy(network: Omit<EgressNetwork, 'kind'>, options: EgressOptions = {}): TestProxy {
  const events: EgressEvent[] = [];
  const proxy = openSandboxProxy({ kind: 'egress', onEvent: (event) => events.push(event), ...network }, options);
  const say: TestProxy['say'] = (bytes, enough) => {
    const [ours, theirs] = duplexPair();
    proxy.serve(theirs);
    const { promise, resolve } = Promise.withResolvers<string>();
    let text = '';
    const done = (): void => {
      ours.destroy();
      theirs.destroy();
      resolve(text);
    };
    ours.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (enough?.(text) === true) done();
    });
    ours.on('end', done);
    ours.on('close', done);
    theirs.on('close', done);
    ours.on('error', done);
    ours.write(bytes);
    return promise;
  };
  return { proxy, events, say, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

export function reasonIn(answer: string): string | undefined {
  return /^x-warren-egress: (.+)\r$/im.exec(answer)?.[1];
}
