/** How programs reach Warren: adapters only. */
export { createOpenApi, type OpenApi, type OpenApiOperation } from './http/api/openapi/create-open-api.ts';
export type { ListenAddress } from './http/listen-address.ts';
export { serve } from './http/serve.ts';
export { SERVE_LIMITS, type ServeLimits } from './http/serve-limits.ts';
export type { Served, ServeOptions } from './http/served.ts';
export { createJsonLog, type Log, type LogFields } from './observe/log.ts';
export { createLocalCalls, type LocalCallOptions, type LocalCalls } from './operations/local-calls.ts';
export { openTracing } from './telemetry/open-tracing.ts';
export type { Tracing } from './telemetry/tracing.ts';
