import { describe, expect, it } from 'vitest';
import type { RecordedEntry } from './audit.ts';
import { type ExportFormat, exportEntries } from './export-entries.ts';
import { testEntry } from './test-support/open-test-audit.ts';

const ENTRY: RecordedEntry = { ...testEntry(5), seq: 5, at: 1_800_000_000_000, hash: 'ab'.repeat(32) };

async function text(format: ExportFormat, more: Partial<RecordedEntry> = {}): Promise<string> {
  return (await Array.fromAsync(exportEntries([{ ...ENTRY, ...more }], format))).join('');
}

describe('exporting', () => {
  it('as JSON lines says everything', async () => {
    expect(JSON.parse(await text('jsonl'))).toEqual(JSON.parse(JSON.stringify(ENTRY)));
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\u00a0=1', '＝1'])('as CSV makes no formula of %j', async (formula) => {
    const csv = await text('csv', { action: formula, actor: { kind: 'process', pid: 1, agent: formula } });
    expect(csv.split('\r\n')[1]).toContain(`"'${formula}"`);
    for (const line of csv.split('\r\n')) expect(line).not.toMatch(/(?:^|,)"?[=+@]/);
  });

  it('as CSV says which rule decided, also one that stands in no file', async () => {
    const rule = { layer: 'builtin', file: '', line: 0, rule: 'system_paths', reason: 'never' } as const;
    expect(await text('csv', { decision: { tier: 'blocked', rule } })).toContain(',blocked,builtin: system_paths,');
    const placed = { ...rule, layer: 'workspace', file: 'workspace.yaml', line: 7 } as const;
    expect(await text('csv', { decision: { tier: 'blocked', rule: placed } })).toContain(',blocked,workspace.yaml:7 system_paths,');
  });

  it('as CSV keeps quotes, commas and lines within their cell', async () => {
    const csv = await text('csv', { action: 'a,"b"\nc' });
    expect(csv).toContain('"a,""b""\nc"');
    expect(csv.split('\r\n')[0]?.split(',').length).toBe(18);
  });

  it('as OCSF has what the class API Activity requires', async () => {
    const event = JSON.parse(await text('ocsf'));
    expect(event).toMatchObject({
      class_uid: 6003,
      category_uid: 6,
      activity_id: 99,
      type_uid: 600_399,
      time: ENTRY.at,
      severity_id: 3,
      status_id: 2,
      metadata: { version: expect.stringMatching(/^1\./), product: { name: 'Warren', vendor_name: 'Warren' } },
      actor: { process: { pid: 6 } },
      api: { operation: 'process.run' },
      src_endpoint: { ip: '127.0.0.1' },
    });
    expect(event.type_uid).toBe(event.class_uid * 100 + event.activity_id);
    for (const actor of [{ kind: 'member', name: 'ann' }, { kind: 'operator', name: 'bob' }, { kind: 'system' }] as const) {
      expect(Object.keys(JSON.parse(await text('ocsf', { actor })).actor).length).toBeGreaterThan(0);
    }
  });
});
