/**
 * The whole way of a run as an ordinary user, where rights are missing that root does not miss. Started by a test of root's with setpriv;
 * prints one JSON line with what it found. `node --conditions=warren-source ordinary-user-child.ts`.
 */
import { applyRun } from '../apply.ts';
import { dropRun } from '../drop.ts';
import { reviewRun } from '../review.ts';
import { undoRun } from '../undo.ts';
import { LayerFixture } from './layer-fixture.ts';

// What went wrong first matters more than that the directory could then not be removed.
process.on('uncaughtException', (error) => {
  console.error(error instanceof SuppressedError ? error.suppressed : error);
  process.exitCode = 1;
});

await using fixture = await LayerFixture.create();
await fixture.build([
  ['mkdir', 'closed'],
  ['write', 'closed/file', 'old'],
  ['write', 'closed/gone', 'gone'],
  ['mkdir', 'closed/empty', 0o555],
  ['chmod', 'closed', 0o555],
  ['write', 'private', 'old', 0o600],
]);
const original = await fixture.snapshot();
const { id, merged } = await fixture.run([
  ['chmod', 'closed', 0o755],
  ['write', 'closed/file', 'new', 0o400],
  ['remove', 'closed/gone'],
  ['remove', 'closed/empty'],
  ['write', 'closed/new', 'new', 0o444],
  ['chmod', 'closed', 0o555],
  ['mkdir', 'shut', 0o755],
  ['write', 'shut/inside', 'x', 0o200],
  ['chmod', 'shut', 0o300],
  ['write', 'private', 'new', 0o200],
]);
const { changes } = await reviewRun(fixture.store, id, { probe: fixture.probe });
await applyRun(fixture.store, id, { probe: fixture.probe });
const applied = await fixture.snapshot();
await undoRun(fixture.store, id);
const undone = await fixture.snapshot();
await dropRun(fixture.store, id);
await fixture.store.removeRun(id);
await fixture.build([['chmod', 'closed', 0o755]]);
process.stdout.write(
  `${JSON.stringify({ uid: process.geteuid?.(), paths: changes.map(({ path }) => path), original, merged, applied, undone })}\n`,
);
