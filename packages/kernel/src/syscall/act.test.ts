import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, test } from 'vitest';
import { NO_FACTS } from '../policy/policy.ts';
import { act } from './act.ts';
import { CallWatch } from './call-watch.ts';
import { done, TestCapabilities } from './test-support/test-capabilities.ts';

function prepare() {
  const capabilities = new TestCapabilities();
  let acted = 0;
  capabilities.define('x.y', {
    act: () => {
      acted += 1;
      return done();
    },
  });
  const capability = capabilities.find('x.y');
  if (capability === undefined) throw new Error('It is gone');
  const context = {
    actor: { workspace: DEFAULT_WORKSPACE, pid: 1, agent: '' },
    callId: 'call',
    input: {},
    taint: [],
    facts: NO_FACTS,
    deadlineAt: 0,
    progress: () => {},
    redact: (text: string) => text,
  };
  const watch = new CallWatch(1, 'x.y', NO_FACTS);
  const run = () => act(capability, context, watch, { deadlineMs: 1_000, leftMs: 1_000, graceMs: 1 });
  return { watch, run, times: () => acted };
}

test('act does not begin what was stopped before', async () => {
  const { watch, run, times } = prepare();
  watch.stop({ kind: 'cancelled' });
  expect(await run()).toEqual({ kind: 'never_began', stop: { kind: 'cancelled' } });
  expect(times()).toBe(0);
});

test('act does not begin while it is not known whether its grants still hold', async () => {
  const { watch, run, times } = prepare();
  const looked = Promise.withResolvers<void>();
  watch.recheck = looked.promise.then(() => watch.stop({ kind: 'cancelled' }));
  const ending = run();
  await new Promise(setImmediate);
  expect(times()).toBe(0);
  looked.resolve();
  expect(await ending).toMatchObject({ kind: 'never_began' });
  expect(times()).toBe(0);
});
