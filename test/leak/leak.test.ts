/**
 * Planted secrets, written in every way, go through the gate by every way in and out that a call has. Nothing that comes back or is recorded lets one be read. `WARREN_LEAK_EXCHANGES=1000000 npm run leak` makes as many.
 */
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { canRecover } from '../../packages/kernel/src/redact/test-support/can-recover.ts';
import { DOUBLE_ENCODINGS, ENCODINGS, type Encode, type Roll, WHOLE } from '../../packages/kernel/src/redact/test-support/encodings.ts';

const EXCHANGES = Number(process.env['WARREN_LEAK_EXCHANGES'] ?? 120);
const SEED = Number(process.env['WARREN_LEAK_SEED'] ?? 1);
const SECRETS = 40;
/** Entries of the audit are looked through in between, so that memory stays what it is. */
const LOOK_EVERY = 500;

it('nothing of planted secrets leaves the gate', { timeout: 60_000 + EXCHANGES * 100 }, async () => {
  await using directory = await TemporaryDirectory.create();
  await using kernel = await openKernel({ directory: directory.path });
  const log: string[] = [];
  await using platform = await openPlatform({
    ...{ kernel, directory: directory.path, isWatching: false },
    openSandboxes: () => Promise.reject(new Error('There are none here')),
    say: (message) => void log.push(message),
    onDefect: ({ defect }) => void log.push(defect),
  });
  const roll = rollFrom(SEED);
  const planted = Array.from({ length: SECRETS }, (_, index) => ({ name: `planted-${index}`, value: Buffer.from(secretFrom(roll)) }));
  await platform.vault.unlock('a passphrase for this test');
  for (const { name, value } of planted) await platform.secrets(DEFAULT_WORKSPACE).set(name, value);
  const grants = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts: ['*'], models: [], subAgents: false } as const;
  const { pid } = await platform.agents.start(DEFAULT_WORKSPACE, { agent: 'ada', grants, budgets: {} });
  const call = async (capability: string, input: Record<string, string>, reasoning?: string): Promise<string> =>
    JSON.stringify(await platform.gate.call(DEFAULT_WORKSPACE, { pid, capability, input, reasoning }));

  const encodings = waysToWrite();
  let seen = 0;
  for (let exchange = 0; exchange < EXCHANGES; exchange++) {
    const { value } = planted[roll(SECRETS)] ?? { value: Buffer.alloc(0) };
    const [way, encode] = encodings[exchange % encodings.length] ?? ['plain', (bytes: Buffer) => bytes];
    const text = `${around(roll)} ${encode(value, roll).toString()} ${around(roll)}`;
    const answers = [
      await call('state.persistent.set', { key: 'note', value: text }, text),
      await call('state.persistent.get', { key: 'note' }),
      await call('filesystem.read', { path: text }),
      await call(`none.${exchange}`, { [text]: text }),
    ];
    for (const answer of answers)
      expect(canRecover(Buffer.from(answer), value), `seed ${SEED}, exchange ${exchange}: ${way}: ${answer}`).toBe(false);
    if ((exchange + 1) % LOOK_EVERY !== 0 && exchange + 1 !== EXCHANGES) continue;
    const { entries } = await platform.audit.search({ newest: true, limit: Math.min(1_000, 4 * LOOK_EVERY) });
    const { events, nextCursor } = await kernel.workspace(DEFAULT_WORKSPACE).events.tail({ since: seen, limit: 1_000 });
    seen = nextCursor;
    for (const record of [...entries, ...events, ...log.splice(0)]) {
      const recorded = Buffer.from(JSON.stringify(record));
      for (const { value: each } of planted)
        expect(canRecover(recorded, each, 1), `seed ${SEED}, exchange ${exchange}: ${recorded}`).toBe(false);
    }
  }
});

function waysToWrite(): readonly (readonly [name: string, encode: Encode])[] {
  const known: Readonly<Record<string, Encode>> = { ...ENCODINGS, ...WHOLE };
  const compressed = new Set(['gzip', 'deflate']); // Bytes that are no text do not come through JSON as they are.
  const single = Object.entries(known).filter(([name]) => !compressed.has(name));
  const double = DOUBLE_ENCODINGS.map(([inner, outer]): readonly [string, Encode] => {
    const [first, second] = [known[inner], known[outer]];
    if (first === undefined || second === undefined) throw new Error(`There is no encoding ${inner} or ${outer}`);
    return [`${inner} in ${outer}`, (value, roll) => second(first(value, roll), roll)];
  });
  return [...single, ...double];
}

function secretFrom(roll: Roll): string {
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_!&"/+';
  return Array.from({ length: 16 + roll(48) }, () => letters.charAt(roll(letters.length))).join('');
}

function around(roll: Roll): string {
  return ['', 'token:', '{"a":', 'x=', 'https://example.org/?q=', 'ä'][roll(6)] ?? '';
}

/** The same in every run of one seed. */
function rollFrom(seed: number): Roll {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
