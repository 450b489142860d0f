/** A kernel with a mailroom whose time the test moves. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { openTestKernel, type TestKernel } from '../../test-support/open-test-kernel.ts';
import type { BoxOptions, Mail } from '../mail.ts';
import { type Mailroom, openMailroom } from '../mailroom.ts';

export type TestMail = AsyncDisposable & {
  readonly test: TestKernel;
  readonly mail: Mail;
  /** A process without a box. */
  process(parentPid?: number): Promise<number>;
  /** A process with one. */
  box(options?: BoxOptions): Promise<number>;
  /** Moves the clock and does what is due. */
  pass(ms: number): Promise<void>;
  /** What the log says about mail, without times. */
  events(): Promise<readonly { readonly kind: string; readonly pid: number | undefined; readonly payload: object }[]>;
  reopen(): Promise<void>;
  /** Closes the mailroom, as the kernel does with its own. */
  close(): Promise<void>;
};

export async function openTestMail(options: Parameters<typeof openTestKernel>[0] = {}): Promise<TestMail> {
  const test = await openTestKernel(options);
  const open = (): Mailroom => openMailroom({ store: test.kernel.store, clock: test.clock });
  let mailroom = open();
  const create = async (parentPid?: number) => (await test.mine.processes.create({ name: 'a', template: 't', parentPid })).pid;
  return {
    test,
    get mail() {
      return mailroom.mail(DEFAULT_WORKSPACE);
    },
    process: create,
    async box(boxOptions) {
      const pid = await create();
      await mailroom.mail(DEFAULT_WORKSPACE).createBox(pid, boxOptions);
      return pid;
    },
    async pass(ms) {
      test.clock.advance(ms);
      await mailroom.tick();
    },
    async events() {
      const { events } = await test.mine.events.tail({ limit: 10_000 });
      return events.filter(({ kind }) => kind.startsWith('kernel.mail.')).map(({ kind, pid, payload }) => ({ kind, pid, payload }));
    },
    async reopen() {
      await mailroom.close();
      await test.reopen();
      mailroom = open();
      await mailroom.watch(DEFAULT_WORKSPACE);
    },
    close: () => mailroom.close(),
    async [Symbol.asyncDispose]() {
      await mailroom.close();
      await test[Symbol.asyncDispose]();
    },
  };
}
