/** An attacker with write access to everything but the key: ways to change a log, drawn from a seed. */
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, type Random } from '../../chaos/random.ts';
import type { TreeHead } from '../audit.ts';
import { readFrame, toFrame } from '../frame.ts';
import { headFileName, headSlot } from '../head-file.ts';
import { Frontier, leafHash } from '../merkle.ts';
import { chainAfter, decodeRecord, encodeRecord } from '../records.ts';
import { toTreeHead } from '../tree-head.ts';
import { verifyAudit } from '../verify-audit.ts';
import { DAY_MS, openTestAudit, START, testEntry } from './open-test-audit.ts';

type Files = ReadonlyMap<string, Buffer>;
export type TamperResult = {
  readonly count: number;
  readonly kinds: ReadonlyMap<string, number>;
  readonly missed: readonly string[];
  readonly controls: number;
};

/** Runs this many tamperings; each is to be found. Every hundredth turn verifies an untouched log, which is to be clean. */
export async function runTamperings(count: number, seed: number): Promise<TamperResult> {
  await using on = await openTestAudit({ segmentBytesMax: 4_000 });
  const old: Files[] = [];
  for (let number = 0; number < 24; number += 1) {
    if (number > 0 && number % 8 === 0) on.clock.advance(DAY_MS);
    const group = Array.from({ length: 1 + (number % 3) }, (_, index) => on.audit.append(testEntry(number * 3 + index)));
    await Promise.all(group);
    if (number % 5 === 4) old.push(await readLogFiles(on.directory));
  }
  await on.audit.purge(START + DAY_MS);
  const anchor = on.audit.head();
  const { publicKey } = on;
  await on.audit.close();
  const good = await readLogFiles(on.directory);
  const directory = join(on.directory, '..', 'tampered');
  await mkdir(directory);
  await replaceFiles(directory, new Map(), good);
  const random = createRandom(seed);
  const { privateKey } = generateKeyPairSync('ed25519');
  const kinds = new Map<string, number>();
  const missed: string[] = [];
  let controls = 0;
  for (let turn = 0; turn < count; turn += 1) {
    if (turn % 100 === 0) {
      const report = await verifyAudit({ directory, publicKey, anchors: [anchor] });
      if (report.problems.length > 0) missed.push(`turn ${turn}: the untouched log has problems: ${JSON.stringify(report.problems)}`);
      controls += 1;
    }
    const kind = KINDS[random.below(KINDS.length)] ?? 'flip';
    const changed = TAMPERINGS[kind](good, random, { old, key: privateKey });
    if (changed === undefined || isEqual(changed, good)) continue;
    await replaceFiles(directory, good, changed);
    const anchors = kind === 'rollBack' ? [anchor] : []; // All else has to be found in the files alone.
    const report = await verifyAudit({ directory, publicKey, anchors });
    if (report.problems.length === 0) missed.push(`turn ${turn}: ${kind}`);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    await replaceFiles(directory, changed, good);
  }
  return { count: [...kinds.values()].reduce((sum, each) => sum + each, 0), kinds, missed, controls };
}

export async function readLogFiles(directory: string): Promise<Files> {
  const names = (await readdir(directory)).filter((name) => /\.(?:log|purged)$/.test(name) || name === headFileName()).toSorted();
  return new Map(names.map((name) => [name, readFileSync(join(directory, name))]));
}

async function replaceFiles(directory: string, from: Files, to: Files): Promise<void> {
  for (const name of from.keys()) if (!to.has(name)) await rm(join(directory, name));
  for (const [name, bytes] of to) if (from.get(name) !== bytes) await writeFile(join(directory, name), bytes);
}

function isEqual(one: Files, other: Files): boolean {
  return one.size === other.size && [...one].every(([name, bytes]) => other.get(name)?.equals(bytes) === true);
}

type Means = { readonly old: readonly Files[]; readonly key: KeyObject };
type Tampering = (files: Files, random: Random, means: Means) => Files | undefined;

const TAMPERINGS = {
  flip: (files, random) => edit(files, anyFile(files, random), (bytes) => flip(bytes, random)),
  overwrite: (files, random) =>
    edit(files, anyFile(files, random), (bytes) => {
      const changed = Buffer.from(bytes);
      const at = random.below(bytes.length);
      for (let index = at; index < Math.min(bytes.length, at + 1 + random.below(40)); index += 1) changed[index] = random.below(256);
      return changed;
    }),
  flipWithCheck: (files, random) =>
    editFrames(files, anyLog(files, random), (frames) =>
      frames.with(random.below(frames.length), toFrame(flip(payloadOf(frames, random), random))),
    ),
  drop: (files, random) =>
    editFrames(files, anyLog(files, random), (frames) => frames.toSpliced(random.below(frames.length), 1 + random.below(3))),
  swap: (files, random) =>
    editFrames(files, anyLog(files, random), (frames) => {
      const [one, other] = [random.below(frames.length), random.below(frames.length)];
      return frames.with(one, at(frames, other)).with(other, at(frames, one));
    }),
  duplicate: (files, random) =>
    editFrames(files, anyLog(files, random), (frames) =>
      frames.toSpliced(random.below(frames.length + 1), 0, at(frames, random.below(frames.length))),
    ),
  truncate: (files, random) => edit(files, anyFile(files, random), (bytes) => bytes.subarray(0, random.below(bytes.length))),
  truncateAtHead: (files, random) =>
    editFrames(files, lastLog(files), (frames) => {
      const heads = [...frames.keys()].filter((index) => decodeRecord(at(frames, index).subarray(8))?.kind === 'head');
      return frames.slice(0, (heads[random.below(heads.length)] ?? 0) + 1);
    }),
  append: (files, random) =>
    edit(files, anyFile(files, random), (bytes) =>
      Buffer.concat([bytes, Buffer.from(Array.from({ length: 1 + random.below(50) }, () => random.below(256)))]),
    ),
  removeFile: (files, random) => new Map([...files].filter(([name]) => name !== anyFile(files, random))),
  removeLast: (files) => new Map([...files].filter(([name]) => name !== lastLog(files))),
  swapFiles: (files, random) => {
    const [one, other] = [anyLog(files, random), anyLog(files, random)];
    return new Map(files).set(one, bytesOf(files, other)).set(other, bytesOf(files, one));
  },
  copyFile: (files, random) =>
    new Map(files).set(`2027-01-1${random.below(10)}.000${random.below(10)}.log`, bytesOf(files, anyLog(files, random))),
  rollBack: (_, random, { old }) => old[random.below(old.length)],
  rollBackAndKeepHead: (files, random, { old }) =>
    new Map(old[random.below(old.length)]).set(headFileName(), bytesOf(files, headFileName())),
  forgeTail: (files, random, { key }) => rewrite(files, random, key, 'tail'),
  forgeAll: (files, random, { key }) => rewrite(files, random, key, 'entry'),
  forgeAllWithOldSignatures: (files, random) => rewrite(files, random, undefined, 'entry'),
  purge: (files, random, { key }) => purgeWithoutKey(files, random, key),
} as const satisfies Record<string, Tampering>;

const KINDS = Object.keys(TAMPERINGS) as (keyof typeof TAMPERINGS)[]; // Object.keys forgets.

/** The best that can be done without the key: chain, tree, checks and head file all fit, only signatures are of another key or of another text. */
function rewrite(files: Files, random: Random, key: KeyObject | undefined, what: 'entry' | 'tail'): Files {
  const changed = new Map(files);
  const frontier = new Frontier();
  let chain: Buffer = Buffer.alloc(32);
  let newest: { readonly head: TreeHead; readonly file: string; readonly offset: number; readonly chain: string } | undefined;
  const logs = [...files.keys()].filter((name) => name.endsWith('.log'));
  for (const name of [...files.keys()].filter((each) => each.endsWith('.purged'))) {
    for (const frame of framesOf(bytesOf(files, name))) {
      const record = decodeRecord(frame.subarray(8));
      if (record?.kind === 'purge') chain = record.chain;
      if (record?.kind !== 'hashes') continue;
      for (let at = 0; at < record.hashes.length; at += 32) frontier.append(record.hashes.subarray(at, at + 32));
    }
  }
  const victim = logs[what === 'tail' ? logs.length - 1 : random.below(logs.length)];
  for (const name of logs) {
    const frames = framesOf(bytesOf(files, name));
    const target = what === 'tail' ? frames.length : random.below(frames.length);
    const written: Buffer[] = [];
    let offset = 0;
    const add = (payload: Uint8Array): void => {
      const frame = toFrame(payload);
      written.push(frame);
      offset += frame.length;
    };
    const addHead = (signature: Buffer, when: number, keyId: string): void => {
      const unsigned = { kind: 'head' as const, size: frontier.size, root: frontier.root(), at: when, keyId };
      const text = `warren audit: tree head, format 1\n${keyId}\n${unsigned.size}\n${unsigned.root.toString('hex')}\n${when}\n`;
      const head = { ...unsigned, signature: key === undefined ? signature : sign(null, Buffer.from(text), key) };
      const begin = offset;
      const payload = encodeRecord(head);
      add(payload);
      chain = chainAfter(chain, payload);
      newest = { head: toTreeHead(head), file: name, offset: begin, chain: chain.toString('hex') };
    };
    for (const [index, frame] of frames.entries()) {
      const record = decodeRecord(frame.subarray(8));
      if (record === undefined) throw new Error('A log to tamper with is damaged');
      if (record.kind === 'entry') {
        const body = name === victim && index >= target ? flip(record.body, random) : record.body;
        const payload = encodeRecord({ ...record, chain, body });
        add(payload);
        chain = leafHash(payload);
        frontier.append(chain);
        if (name === victim && index === frames.length - 2 && what === 'tail') {
          const more = encodeRecord({ ...record, seq: record.seq + 1, chain, body: flip(record.body, random) });
          add(more);
          chain = leafHash(more);
          frontier.append(chain);
        }
      } else if (record.kind === 'head') {
        addHead(record.signature, record.at, record.keyId);
      } else {
        const payload = encodeRecord({ ...record, ...(record.kind === 'file' ? { chain } : {}) });
        add(payload);
        chain = chainAfter(chain, payload);
      }
    }
    changed.set(name, Buffer.concat(written));
  }
  if (newest !== undefined) changed.set(headFileName(), Buffer.concat([headSlot(newest), headSlot(newest)]));
  return changed;
}

/** Hides what happened: takes the entries of a file away as if their time had been over. Only the signature is not what it should be. */
function purgeWithoutKey(files: Files, random: Random, key: KeyObject): Files | undefined {
  const logs = [...files.keys()].filter((name) => name.endsWith('.log'));
  const victim = logs[random.below(logs.length - 1)] ?? '';
  const next = logs[logs.indexOf(victim) + 1] ?? '';
  const frames = framesOf(bytesOf(files, victim));
  const [first, following] = [frames[0], framesOf(bytesOf(files, next))[0]].map((frame) =>
    decodeRecord((frame ?? Buffer.alloc(8)).subarray(8)),
  );
  if (first?.kind !== 'file' || following?.kind !== 'file') return undefined;
  const entries = frames.map((frame) => frame.subarray(8)).filter((payload) => decodeRecord(payload)?.kind === 'entry');
  const last = decodeRecord(entries.at(-1) ?? Buffer.alloc(0));
  const hashes = Buffer.concat(entries.map((payload) => leafHash(payload)));
  const when = last?.kind === 'entry' ? last.at : 0;
  const keyId = decodeRecord(at(frames, frames.length - 1).subarray(8));
  const purge = {
    kind: 'purge' as const,
    seq: first.seq,
    count: entries.length,
    chain: following.chain,
    digest: hash('sha256', hashes, 'buffer'),
    at: when,
    purgedAt: when,
    keyId: keyId?.kind === 'head' ? keyId.keyId : '',
  };
  const text = `warren audit: purge, format 1\n${purge.keyId}\n${purge.seq}\n${purge.count}\n${purge.chain.toString('hex')}\n${purge.digest.toString('hex')}\n${when}\n${when}\n`;
  const payloads = [
    encodeRecord(first),
    encodeRecord({ kind: 'hashes', seq: first.seq, hashes }),
    encodeRecord({ ...purge, signature: sign(null, Buffer.from(text), key) }),
  ];
  const changed = new Map(files).set(victim.replace('.log', '.purged'), Buffer.concat(payloads.map((payload) => toFrame(payload))));
  changed.delete(victim);
  return new Map([...changed].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function edit(files: Files, name: string, change: (bytes: Buffer) => Buffer): Files {
  return new Map(files).set(name, change(bytesOf(files, name)));
}

function editFrames(files: Files, name: string, change: (frames: readonly Buffer[]) => readonly Buffer[]): Files {
  return edit(files, name, (bytes) => Buffer.concat(change(framesOf(bytes))));
}

export function framesOf(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const read = readFrame(bytes, offset);
    if (read.kind !== 'frame') throw new Error('A log to tamper with is damaged');
    frames.push(bytes.subarray(offset, read.end));
    offset = read.end;
  }
  return frames;
}

function payloadOf(frames: readonly Buffer[], random: Random): Buffer {
  return at(frames, random.below(frames.length)).subarray(8);
}

function flip(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes);
  const place = random.below(bytes.length);
  changed[place] = (changed[place] ?? 0) ^ (1 << random.below(8));
  return changed;
}

function at(frames: readonly Buffer[], index: number): Buffer {
  return frames[index] ?? Buffer.alloc(0);
}

function bytesOf(files: Files, name: string): Buffer {
  return files.get(name) ?? Buffer.alloc(0);
}

function anyFile(files: Files, random: Random): string {
  return [...files.keys()][random.below(files.size)] ?? '';
}

function anyLog(files: Files, random: Random): string {
  const logs = [...files.keys()].filter((name) => name !== headFileName());
  return logs[random.below(logs.length)] ?? '';
}

function lastLog(files: Files): string {
  return [...files.keys()].findLast((name) => name.endsWith('.log')) ?? '';
}
