import { describe, expect, it } from 'vitest';
import { OPERATIONS } from './operations.ts';
import { verifyContract } from './verify-contract.ts';

const PROMISED = Object.keys(OPERATIONS).filter((name) => name.startsWith('kernel.'));

describe('verifyContract', () => {
  it('finds nothing wrong with what is promised, in whatever order', () => {
    const report = verifyContract(PROMISED.toReversed());
    expect(report).toMatchObject({ missing: [], extra: [] });
    expect(Object.values(report.by_tier).map((names) => names.length)).toEqual([58, 0, 0]);
  });

  it('reports what is missing, what is extra and nothing that is not of the kernel', () => {
    const served = [
      ...PROMISED.filter((name) => name !== 'kernel.info'),
      'kernel.agent.fork',
      'kernel.toString',
      'queue.claim',
      'echo.ping',
      'toString',
    ];
    const report = verifyContract(served);
    expect(report).toMatchObject({ missing: ['kernel.info'], extra: ['kernel.agent.fork', 'kernel.toString'] });
    expect(report.by_tier.stable).toHaveLength(57);
  });

  it('reports everything of a server that serves nothing', () => {
    expect(verifyContract([]).missing).toHaveLength(58);
  });
});
