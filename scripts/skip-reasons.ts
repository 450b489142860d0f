/** A vitest reporter that puts the reason of each skipped test (`skip(condition, 'reason')`) where the JSON reporter writes it: into `meta`. */
import type { Reporter, TestModule } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    skipReason?: string;
  }
}

export default class SkipReasons implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        if (result.state === 'skipped' && result.note !== undefined) test.meta().skipReason = result.note;
      }
    }
  }
}
