/** The next life after a kill at this moment: it finds what is on disk, and an audit that ends where it ends. The life before goes on and nobody hears of it. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryAudit } from './memory-audit.ts';
import { openTestGate, type TestGate } from './open-test-gate.ts';

export async function afterKill(t: TestGate): Promise<TestGate> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-kernel-'));
  cpSync(t.test.directory, directory, { recursive: true });
  const audit = new MemoryAudit();
  audit.entries.push(...t.audit.entries);
  const next = await openTestGate({ audit, capabilities: t.capabilities, policyOf: () => t.policy }, { directory, clock: t.test.clock });
  return {
    ...next,
    test: next.test,
    audit,
    capabilities: t.capabilities,
    get gate() {
      return next.gate;
    },
  };
}
