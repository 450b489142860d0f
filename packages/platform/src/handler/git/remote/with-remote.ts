/** Runs one command of git that speaks with another repository, and carries what they say. */
import { coversHosts, readHostPattern } from '@warren/protocol';
import { type EgressReason, EgressRefusal, type Sandbox } from '@warren/sandbox';
import { CapabilityError, type HandlerContext } from '../../../capability/handler.ts';
import { openRepository } from '../open-repository.ts';
import type { GitOutcome } from '../run-git.ts';
import { openRelay } from './open-relay.ts';
import type { RemoteTarget } from './remote-target.ts';
import { type Service, serveHelper } from './serve-helper.ts';

export type RemoteRun = {
  readonly context: HandlerContext;
  readonly sandbox: Sandbox;
  /** A directory of ours in the sandbox, with `bin`. */
  readonly made: string;
  readonly target: RemoteTarget;
  readonly service: Service;
  /** The error for what is not the host's refusal, as `CloneFailed`. */
  readonly failure: string;
  /** Runs git. `options` go before `--`, `url` behind it. */
  readonly git: (way: Way, signal: AbortSignal) => Promise<GitOutcome>;
};

export type Way = { readonly url: string; readonly options: readonly string[]; readonly env: Readonly<Record<string, string>> };
export type RemoteOutcome = GitOutcome & { readonly bytes: number };

const REFUSED: ReadonlySet<EgressReason> = new Set<EgressReason>(['host_not_allowed', 'address_not_public']);
const PROGRESS_BYTES = 1_048_576;

export function withRemote(run: RemoteRun): Promise<RemoteOutcome> {
  return run.target.kind === 'web' ? throughHost(run, run.target) : withinSandbox(run, run.target.path);
}

async function throughHost(run: RemoteRun, target: Extract<RemoteTarget, { kind: 'web' }>): Promise<RemoteOutcome> {
  const { context, failure } = run;
  const hosts = hostsOf(context.hosts, target.url);
  await using relay = await openRelay(run.sandbox, run.made, context.signal);
  const broken = new AbortController();
  const signal = AbortSignal.any([context.signal, broken.signal]);
  let bytes = 0;
  const onBytes = (count: number): void => {
    const before = Math.floor(bytes / PROGRESS_BYTES);
    bytes += count;
    if (Math.floor(bytes / PROGRESS_BYTES) > before) context.progress(`${Math.floor(bytes / PROGRESS_BYTES)} MiB received`);
  };
  const parts = { egress: context.egress, hosts, url: target.url, service: run.service, deadlineAt: context.deadlineAt, onBytes };
  let refusal: { readonly error: unknown } | undefined;
  const serving = serveHelper(parts, relay.pipe, signal).catch((error: unknown) => {
    if (broken.signal.aborted) return; // Git has ended, so nobody listens any more.
    refusal = { error };
    broken.abort(error);
  });
  try {
    const outcome = await run.git({ url: target.url, options: [], env: relay.env }, signal);
    return { ...outcome, bytes };
  } catch (error) {
    if (refusal !== undefined && !context.signal.aborted) throw explain(refusal.error, failure);
    throw error;
  } finally {
    broken.abort(new Error('git has ended'));
    await relay[Symbol.asyncDispose]();
    await serving;
  }
}

/** Git starts another git for the other side: that one gets a configuration of ours too. */
async function withinSandbox(run: RemoteRun, path: string): Promise<RemoteOutcome> {
  const { context, sandbox, service, failure } = run;
  await using other = await openRepository(sandbox, path, context.signal, 'any').catch((error: unknown) => {
    if (!(error instanceof CapabilityError)) throw error;
    throw new CapabilityError(error.type === 'PathOutOfScope' ? error.type : failure, `Cannot reach the repository: ${error.message}`);
  });
  const program = `env GIT_COMMON_DIR=${other.commonDirectory} ${service.replace('-', ' ')}`; // Made by mktemp: no character of it means anything to a shell.
  const options = [`--${service.slice('git-'.length)}=${program}`];
  const outcome = await run.git({ url: other.gitDirectory, options, env: { GIT_ALLOW_PROTOCOL: 'file' } }, context.signal);
  return { ...outcome, bytes: 0 };
}

/** Only the host of the URL, whatever else the caller may reach; redirects included. */
function hostsOf(granted: readonly string[], url: string): readonly string[] {
  const { hostname, port, protocol } = new URL(url);
  const own = `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
  const host = readHostPattern(own);
  if (granted.some((pattern) => coversHosts(readHostPattern(pattern), host)))
    return protocol === 'https:' ? [own] : [own, `${hostname}:443`];
  throw new CapabilityError('DomainNotAllowed', `Cannot reach ${hostname}: it is not among the hosts this agent may reach`, {
    context: { host: hostname },
  });
}

function explain(error: unknown, failure: string): unknown {
  if (error instanceof EgressRefusal) {
    return new CapabilityError(REFUSED.has(error.reason) ? 'DomainNotAllowed' : failure, error.message, {
      context: { host: error.host, reason: error.reason },
    });
  }
  if (error instanceof CapabilityError && error.type === 'InternalError') return new CapabilityError(failure, error.message);
  return error;
}
