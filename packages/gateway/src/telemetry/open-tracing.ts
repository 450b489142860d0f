/** Which collector, if any. */
import { NO_TRACING, type Tracing } from './tracing.ts';

/**
 * With `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` set, spans go there as OTLP over HTTP (`OTEL_SERVICE_NAME`,
 * `OTEL_EXPORTER_OTLP_HEADERS` and the rest are honoured by the exporter itself); otherwise nowhere.
 */
export async function openTracing(environment: Readonly<Record<string, string | undefined>>): Promise<Tracing> {
  const endpoint = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint === undefined || endpoint === '' || environment['OTEL_SDK_DISABLED'] === 'true') return NO_TRACING;
  const { openOtlpTracing } = await import('./otlp-tracing.ts'); // 90 ms of loading, for those who asked for it.
  return openOtlpTracing(environment['OTEL_SERVICE_NAME'] ?? 'warren');
}
