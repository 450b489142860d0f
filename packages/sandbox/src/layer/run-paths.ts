import { join } from 'node:path';

/** What lies in the directory of a run. */
export type RunPaths = {
  readonly run: string;
  readonly record: string;
  /** Holds `upper` and `work`: what a sandbox spec calls the layer. */
  readonly layer: string;
  readonly upper: string;
  readonly work: string;
  readonly manifest: string;
  readonly journal: string;
};

export function runPaths(run: string): RunPaths {
  const layer = join(run, 'layer');
  return {
    run,
    record: join(run, 'run.json'),
    layer,
    upper: join(layer, 'upper'),
    work: join(layer, 'work'),
    manifest: join(run, 'manifest.jsonl'),
    journal: join(run, 'journal'),
  };
}
