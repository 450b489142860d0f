/** Prometheus' text format, version 0.0.4: HELP and TYPE once for each name, labels sorted and escaped, a newline at the end. */

export type Labels = Readonly<Record<string, string>>;
export type Sample = { readonly labels?: Labels | undefined; readonly value: number };
export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
};

/** Upper bounds in ascending order, and how many observations fell at or below each. */
export type HistogramSample = {
  readonly labels: Labels;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
};
export type HistogramMetric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  readonly samples: readonly HistogramSample[];
};

export function expose(metrics: readonly (Metric | HistogramMetric)[]): string {
  return metrics.map((metric) => `${head(metric)}${metric.type === 'histogram' ? histogram(metric) : plain(metric)}`).join('');
}

function head({ name, help, type }: Metric | HistogramMetric): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

function plain({ name, samples }: Metric): string {
  return samples.map(({ labels = {}, value }) => line(name, labels, value)).join('');
}

function histogram({ name, samples }: HistogramMetric): string {
  return samples
    .map(({ labels, bounds, counts, sum, count }) =>
      [
        ...bounds.map((bound, index) => line(`${name}_bucket`, { ...labels, le: `${bound}` }, counts[index] ?? 0)),
        line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
        line(`${name}_sum`, labels, sum),
        line(`${name}_count`, labels, count),
      ].join(''),
    )
    .join('');
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}
