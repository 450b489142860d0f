/** A process that appends until it is killed, and says what was acknowledged, a line each. Its numbers go on from those that are there. */
import { writeSync } from 'node:fs';
import { openAuditIndex } from '../../store/sqlite/audit-index.ts';
import { openAudit } from '../open-audit.ts';
import { testEntry } from './open-test-audit.ts';

const [directory = '', keyFile = ''] = process.argv.slice(2);
const clock = { now: () => Date.now() };
const audit = await openAudit({ directory, keyFile, clock, openIndex: openAuditIndex, segmentBytesMax: 40_000 });
let number = audit.head().size;
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const { seq, hash } = await audit.append(testEntry(number++));
      writeSync(1, `${seq} ${hash}\n`);
    }
  }),
);
