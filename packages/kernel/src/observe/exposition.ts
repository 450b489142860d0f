/** Prometheus' text format, version 0.0.4: HELP and TYPE once for each name, labels sorted and escaped, a newline at the end. */

export type Labels = Readonly<Record<string, string>>;
export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly { readonly labels?: Labels | undefined; readonly value: number }[];
};

export function expose(metrics: readonly Metric[]): string {
  return metrics
    .map((metric) => head(metric) + metric.samples.map(({ labels = {}, value }) => line(metric.name, labels, value)).join(''))
    .join('');
}

function head({ name, help, type }: Metric): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}
