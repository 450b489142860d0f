import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createSecretRedactor } from '@warren/kernel';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atLeast, measured, type Row, ratio } from '../harness/row.ts';

const SECRETS = 1_000;
const TEXT_BYTES = 1_048_576;
const CHUNK_BYTES = 65_536;
const ROOT = resolve(import.meta.dirname, '../..');

export const redact: Benchmark = {
  name: 'redact',
  title: 'Redaction',
  method:
    `${SECRETS} secrets of 16 to 64 characters, as keys look, taken out of ${TEXT_BYTES / 1_048_576} MiB of texts that hold none, on one core, as bytes; at the end as chunks of 64 KiB of a stream. Against ` +
    '`indexOf` for each secret as it is, as base64 and as hexadecimal, which finds a small part of what Warren finds. They take turns.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const secrets = Array.from({ length: SECRETS }, (_, index) => ({ name: `secret-${index}`, value: secretOf(index) }));
  const redactor = createSecretRedactor(secrets);
  const forms = secrets.flatMap(({ value }) => [value, Buffer.from(value).toString('base64'), Buffer.from(value).toString('hex')]);
  const naive = (bytes: Buffer): Buffer => {
    for (const form of forms) if (bytes.indexOf(form) >= 0) throw new Error('It holds a secret');
    return bytes;
  };
  const unchanged = (bytes: Buffer): Uint8Array => {
    const redacted = redactor.bytes(bytes);
    if (redacted !== bytes) throw new Error('A text without secrets was changed');
    return redacted;
  };
  const texts = makeTexts();
  const subjects = Object.entries(texts).map(([name, bytes]) => ({ name, ours: subject(name, bytes, unchanged), bytes }));
  const other = subject('indexOf', texts.logs.subarray(0, TEXT_BYTES / 16), naive);
  const stream = subject('stream', texts.logs, (bytes) => throughStream(redactor.stream(), bytes));
  const of = await interleave([...subjects.map(({ ours }) => ours), stream, other], context.isQuick ? 3 : 12, context, {
    warmups: 2,
    restMs: 5,
  });
  return [
    ...subjects.map(({ name, ours }) => measured(name, 'MB/s', of(ours), { bound: atLeast(200) })),
    measured('logs, as a stream', 'MB/s', of(stream), { bound: atLeast(200) }),
    measured('logs, `indexOf` for each', 'MB/s', of(other), {
      ratio: ratio('Warren ÷ this', of(subjects[0]?.ours ?? stream), of(other), atLeast(20)),
    }),
  ];
}

function subject(name: string, bytes: Buffer, act: (bytes: Buffer) => Uint8Array): Subject {
  return {
    name,
    turn: async () => {
      const startedAt = performance.now();
      act(bytes);
      return bytes.byteLength / 1_000 / (performance.now() - startedAt);
    },
  };
}

function throughStream(stream: ReturnType<ReturnType<typeof createSecretRedactor>['stream']>, bytes: Buffer): Uint8Array {
  let length = 0;
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) length += stream.push(bytes.subarray(at, at + CHUNK_BYTES)).byteLength;
  const last = stream.end();
  if (length + last.byteLength !== bytes.byteLength) throw new Error('A text without secrets was changed');
  return last;
}

function secretOf(index: number): string {
  const random = randomBytes(48).toString('base64url');
  const kinds = [
    `ghp_${random.slice(0, 36)}`,
    `sk-live-${random.slice(0, 40)}`,
    random.slice(0, 16),
    randomBytes(32).toString('hex'),
    `pw:${random.slice(0, 20)}!`,
  ];
  return kinds[index % kinds.length] ?? random;
}

function makeTexts() {
  const source = readFileSync(join(ROOT, 'packages/protocol/src/contract/http-routes.ts'));
  const json = readFileSync(join(ROOT, 'docs/openapi.json'));
  const log = Array.from(
    { length: 1_000 },
    (_, line) =>
      `2026-11-21T23:${line % 60}:07.${line}Z INFO request ${line * 7_919} GET /api/runs/${line}?page=${line % 9}&size=20 200 in ${line % 100} ms "curl/8.${line % 9}" a=${line} path=C:\\temp\\${line}`,
  ).join('\n');
  return {
    logs: filled(Buffer.from(log)),
    source: filled(source),
    JSON: filled(json),
    'JSON within JSON': filled(Buffer.from(JSON.stringify(json.toString()))),
    'base64 in one line': Buffer.from(randomBytes(TEXT_BYTES).toString('base64').slice(0, TEXT_BYTES)),
    'base64 in lines': filled(
      Buffer.from(
        (
          randomBytes(65_536)
            .toString('base64')
            .match(/.{1,76}/g) ?? []
        ).join('\n'),
      ),
    ),
    hexadecimal: Buffer.from(randomBytes(TEXT_BYTES / 2).toString('hex')),
    'random bytes': randomBytes(TEXT_BYTES),
    'one letter': Buffer.alloc(TEXT_BYTES, 'a'),
    'percent escapes': filled(Buffer.from(encodeURIComponent(log))),
    'beginnings of secrets': filled(Buffer.from('ghp_ sk-live- ')),
  };
}

function filled(bytes: Buffer): Buffer {
  return Buffer.alloc(TEXT_BYTES, bytes);
}
