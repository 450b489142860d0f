import { createCipheriv, createDecipheriv, createSecretKey, pbkdf2Sync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createVault } from '@warren/platform';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atMost, measured, type Row, ratio } from '../harness/row.ts';
import { openTemporaryKernel } from '../harness/temporary-kernel.ts';

const SECRETS = 1_000;
const READS = 20_000;
/** Each takes its tenth of a second or so: a few say enough. */
const EARLIER_READS = 40;
const VALUE_BYTES = 48;
const USE = { kind: 'request', capability: 'network.credentialed_request', host: 'api.example.com', port: 443 } as const;

export const secrets: Benchmark = {
  name: 'secrets',
  title: 'Secrets of a workspace',
  method:
    `${SECRETS} secrets of ${VALUE_BYTES} bytes, each bound to a host and a capability, in an unlocked vault; one of them is had, by chance which, checked against what it is bound to, unsealed and wiped. Against AES-256-GCM of ` +
    'node:crypto on the same bytes, with the key at hand and nothing looked up or checked; and against the way of an earlier system, which stretches its passphrase for each read (PBKDF2-HMAC-SHA512, 100,000 turns: 41 ms as ' +
    'that system was measured). They take turns.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using under = await openTemporaryKernel();
  const { kernel, directory } = under;
  const vault = createVault({ kernel, directory, now: Date.now, environment: {}, key: () => undefined, say: () => {} });
  const mine = vault.secrets(DEFAULT_WORKSPACE);
  const bindings = { hosts: [USE.host], capabilities: [USE.capability] };
  const count = context.isQuick ? 50 : SECRETS;
  context.say(`secrets: keeping ${count}`);
  const values = Array.from({ length: count }, () => randomBytes(VALUE_BYTES).toString('base64'));
  await Promise.all(values.map((value, index) => mine.set(`service-${index}/key`, value, { bindings })));

  const key = createSecretKey(randomBytes(32));
  const sealed = values.map((value) => seal(key, Buffer.from(value)));
  const salt = randomBytes(32);
  const any = (): number => Math.floor(Math.random() * count);
  const subject = (name: string, act: () => unknown): Subject => ({
    name,
    async turn() {
      const startedAt = performance.now();
      await act();
      return (performance.now() - startedAt) * 1_000;
    },
  });
  const warren = subject('warren', async () => {
    using value = await mine.use(`service-${any()}/key`, USE);
    if (value === undefined) throw new Error('A secret that is bound is not had');
  });
  const plain = subject('plain', () => unseal(key, sealed[any()] as Sealed)); // There are as many.
  using table = openTable(join(directory, 'plain.db'), sealed);
  const row = subject('row', () => unseal(key, table.read(any())));
  const earlier = subject('earlier', () =>
    unseal(createSecretKey(pbkdf2Sync('correct horse', salt, 100_000, 32, 'sha512')), seal(key, salt), false),
  );
  const samples = await interleave([warren, row, plain], context.isQuick ? 200 : READS, context, { restMs: 0 });
  const slow = await interleave([earlier], context.isQuick ? 2 : EARLIER_READS, context, { restMs: 0 });
  return [
    measured('Warren: read', 'µs', samples(warren), {
      bound: atMost(50),
      ratio: ratio('Warren ÷ a row of SQLite and AES-GCM', samples(warren), samples(row)),
    }),
    measured('a row of SQLite and AES-GCM', 'µs', samples(row)),
    measured('AES-GCM alone', 'µs', samples(plain)),
    measured('PBKDF2 for each read', 'µs', slow(earlier), { ratio: ratio('Warren ÷ this', samples(warren), slow(earlier)) }),
  ];
}

/** As somebody would who keeps sealed values in a table. */
function openTable(path: string, sealed: readonly Sealed[]) {
  const database = new DatabaseSync(path);
  database.exec(
    'CREATE TABLE secret (name TEXT PRIMARY KEY, nonce BLOB NOT NULL, tag BLOB NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID',
  );
  const insert = database.prepare('INSERT INTO secret VALUES (?, ?, ?, ?)');
  database.exec('BEGIN');
  for (const [index, { nonce, tag, body }] of sealed.entries()) insert.run(`service-${index}/key`, nonce, tag, body);
  database.exec('COMMIT');
  const find = database.prepare('SELECT nonce, tag, body FROM secret WHERE name = ?');
  return {
    read: (index: number): SealedRow => find.get(`service-${index}/key`) as SealedRow, // Its columns.
    [Symbol.dispose]: () => database.close(),
  };
}

type SealedRow = { readonly nonce: Uint8Array; readonly tag: Uint8Array; readonly body: Uint8Array };
type Sealed = { readonly nonce: Buffer; readonly tag: Buffer; readonly body: Buffer };

function seal(key: ReturnType<typeof createSecretKey>, value: Buffer): Sealed {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(value), cipher.final()]);
  return { nonce, tag: cipher.getAuthTag(), body };
}

function unseal(key: ReturnType<typeof createSecretKey>, { nonce, tag, body }: SealedRow, isWhole = true): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAuthTag(tag);
  const value = decipher.update(body);
  if (isWhole) decipher.final();
  return value;
}
