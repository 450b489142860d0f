import { describe, expect, it } from 'vitest';
import { readTranscript, writeEntry, writeHeader } from './transcript.ts';

const HEADER = writeHeader({ type: 'session', format: 1, id: 'chat', created_at: 1 });
const said = (id: string, content: string): Buffer => writeEntry({ type: 'message', role: 'user', content, id, parent: undefined, at: 1 });

describe('a transcript', () => {
  it('lets others have their turn while much of it is read', async () => {
    const content = Buffer.concat([HEADER, ...['a', 'b', 'c', 'd'].map((id) => said(id, 'x'.repeat(600_000)))]);
    let hadTheirTurn = false;
    setImmediate(() => {
      hadTheirTurn = true;
    });
    const read = await readTranscript(content);
    expect([read?.entries.map(({ id }) => id), read?.bytes, hadTheirTurn]).toEqual([['a', 'b', 'c', 'd'], content.byteLength, true]);
  });

  it('says that a line is too long before it reads it, and ends with its last whole line', async () => {
    const whole = Buffer.concat([HEADER, Buffer.from(`"${'x'.repeat(8_388_608)}"\n\n`), said('a', 'é')]);
    const read = await readTranscript(Buffer.concat([whole, said('b', 'cut off').subarray(0, -1)]));
    expect(read).toMatchObject({ entries: [{ id: 'a', content: 'é' }], bytes: whole.byteLength });
    expect(read?.damage).toEqual([
      { line: 2, reason: 'it is too long' },
      { line: 3, reason: 'it is no JSON' },
    ]);
  });
});
