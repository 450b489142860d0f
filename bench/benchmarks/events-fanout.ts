import { rmSync } from 'node:fs';
import { atOnce } from '../harness/at-once.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { ComparatorProcess } from '../harness/comparator-process.ts';
import { Daemon } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { atMost, measured, type Row, ratio } from '../harness/row.ts';
import { RpcConnection } from '../harness/rpc-connection.ts';
import { type Subscriber, type SubscriberTarget, subscribeToSocket, subscribeToStream } from '../harness/subscriber.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

/** A daemon has places for 256 WebSockets and 1,024 streams. */
const STREAMS = 800;
const SOCKETS = 200;
const OPENED_AT_ONCE = 32;

export const eventsFanout: Benchmark = {
  name: 'events-fanout',
  title: 'One event to a thousand who follow',
  method:
    `${STREAMS} streams of server-sent events and ${SOCKETS} WebSockets follow \`capability_result\` of the shipped daemon. An agent makes a call: timed from when it is sent to when the last of ` +
    'them has the event, so the call itself, which is on disk before anybody hears of it, is within. Against a bare server of `node:http` and `ws` that writes as many bytes to as many ' +
    'when it is asked to, and keeps nothing. They take turns.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const state = temporaryDirectory();
  try {
    return await measure(state, context);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

async function measure(state: string, context: Context): Promise<readonly Row[]> {
  await using daemon = await Daemon.start(state);
  await using bare = await ComparatorProcess.start('bare-fanout-server.ts');
  const port = await daemon.port();
  const { pid, token } = await daemon.startAgent('bench');
  const operator = (await daemon.rpc.call('token.create_operator', { label: 'bench' })) as { readonly token: string }; // By its contract.
  const view = '/events?view=supervision&types=capability_result&workspace=default';
  using ours = await Audience.open({ port, path: view, token: operator.token }, context);
  using theirs = await Audience.open({ port: bare.port, path: '/' }, context);
  const caller = new RpcConnection({ port, token });
  const poster = new RpcConnection({ port: bare.port, token: 'none' });
  const answered: number[] = [];
  const halves: number[] = [];
  try {
    const warren = {
      name: 'warren',
      async turn() {
        const told = ours.next();
        answered.push(await timed(() => caller.call('call.make', { pid, capability: 'system.echo', input: { text: 'hello' } })));
        const { half, all } = await told;
        halves.push(half);
        return all;
      },
    };
    const server = {
      name: 'bare',
      async turn() {
        const told = theirs.next();
        await poster.post('/event', '');
        return (await told).all;
      },
    };
    const warmups = 5;
    const times = await interleave([warren, server], context.isQuick ? 10 : 200, context, { warmups });
    return [
      measured(`Warren: the last of ${STREAMS + SOCKETS} has it`, 'ms', times(warren), {
        bound: atMost(100),
        ratio: ratio('this ÷ bare', times(warren), times(server)),
      }),
      measured(' half of them have it', 'ms', halves.slice(warmups)),
      measured(' the call itself is answered', 'ms', answered.slice(warmups)),
      measured('a bare server: the last has it', 'ms', times(server)),
    ];
  } finally {
    caller.close();
    poster.close();
  }
}

type Reached = { readonly half: number; readonly all: number };

/** All who follow one server. */
class Audience implements Disposable {
  readonly #subscribers: Subscriber[] = [];
  readonly #size = STREAMS + SOCKETS;
  #count = 0;
  #half = 0;
  #startedAt = 0;
  #resolve: ((reached: Reached) => void) | undefined;

  static async open(target: SubscriberTarget, { say }: Context): Promise<Audience> {
    const audience = new Audience();
    say(`events-fanout: opening ${STREAMS + SOCKETS} connections`);
    const onEvent = (): void => audience.#take();
    const opened = await atOnce(STREAMS + SOCKETS, OPENED_AT_ONCE, (index) =>
      index < STREAMS ? subscribeToStream(target, onEvent) : subscribeToSocket(target, onEvent),
    );
    audience.#subscribers.push(...opened);
    return audience;
  }

  /** Of the next event, from now. */
  next(): Promise<Reached> {
    this.#count = 0;
    this.#startedAt = performance.now();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  [Symbol.dispose](): void {
    for (const subscriber of this.#subscribers) subscriber.close();
  }

  #take(): void {
    this.#count += 1;
    const ms = performance.now() - this.#startedAt;
    if (this.#count === this.#size / 2) this.#half = ms;
    if (this.#count === this.#size) this.#resolve?.({ half: this.#half, all: ms });
  }
}
