/** `warren approvals`: shows what waits for a person, and says yes or no. */
import type { Client } from '@warren/client';
import { Fault } from '@warren/protocol';
import type { ApprovalRecord } from '@warren/protocol/contract';
import { readObject } from '../internal/call-input.ts';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { formatLabelled, type LabelledLine } from '../internal/labelled.ts';
import { rulePlace } from '../internal/rule-place.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { formatTable } from '../internal/table.ts';
import { isoMinute, isoSecond } from '../internal/time.ts';
import { untilSignal } from '../internal/until-signal.ts';
import type { ApproveFlags, RejectFlags } from '../program/approval-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

const ALWAYS_MS = 30 * 86_400_000;
const WATCH_WAIT_MS = 30_000;

export async function approvalsShow(id: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show an approval');
  const found = await client.call('approval.get', { approval_id: id });
  if (flags.json === true) return await printJson(host, found);
  await host.stdout.write(formatApproval(found));
  return 0;
}

export async function approvalsApprove(id: string, flags: ApproveFlags, host: Host): Promise<number> {
  const { input, always } = flags;
  const note = wordsOf(flags, 'approve');
  if (flags.for !== undefined && always === undefined) throw new Fault('invalid_argument', 'Cannot use --for without --always');
  await using client = await openWorkspaceClient(flags, host, 'approve');
  const request = {
    ...(await read(client, id, host)),
    ...(note !== undefined && { note }),
    ...(input !== undefined && { input: readObject(input, '--input') }),
    ...(always !== undefined && { always: { scope: always, for_ms: flags.for ?? ALWAYS_MS } }),
  };
  return await tell(await client.call('approval.approve', request), flags, host);
}

export async function approvalsReject(id: string, flags: RejectFlags, host: Host): Promise<number> {
  const reason = wordsOf(flags, 'reject');
  await using client = await openWorkspaceClient(flags, host, 'reject');
  const about = await read(client, id, host);
  return await tell(await client.call('approval.reject', { ...about, ...(reason !== undefined && { reason }) }), flags, host);
}

/** Two names for one thing: nobody has to remember which of them belongs to which answer. */
function wordsOf({ note, reason }: Pick<ApproveFlags, 'note' | 'reason'>, action: string): string | undefined {
  if (note === undefined || reason === undefined) return note ?? reason;
  throw new Fault('invalid_argument', `Cannot ${action} with two reasons: --note and --reason are the same, give one`);
}

const SHOWN_MAX = 300;

/** Says what is decided about, and binds the answer to it: if the arguments are others by the time it arrives, it decides nothing. */
async function read(client: Client, id: string, host: Host): Promise<Pick<ApprovalRecord, 'approval_id' | 'call_hash'>> {
  const { approval_id, call_hash, agent, capability, input, edited_input } = await client.call('approval.get', { approval_id: id });
  const text = safeJson(edited_input ?? input);
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX).toWellFormed()}… (${text.length} characters)` : text;
  await host.stderr.write(`warren: ${safeText(agent === '' ? 'a process' : agent)} asks for ${safeText(capability)} ${shown}\n`);
  return { approval_id, call_hash };
}

export async function approvalsRules(flags: WorkspaceFlags & { readonly all?: true }, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list rules');
  const found = await client.call('approval.list_rules', flags.all === true ? { all: true } : {});
  if (flags.json === true) return await printJson(host, found);
  if (found.rules.length === 0) {
    await host.stderr.write('warren: nothing is allowed without asking but what policy says\n');
    return 0;
  }
  const columns = [
    { title: 'RULE' },
    { title: 'AGENT' },
    { title: 'CAPABILITY' },
    { title: 'UNTIL' },
    { title: 'BY' },
    { title: 'WHEN' },
  ] as const;
  const rows = found.rules.map(({ rule_id, agent, capability, expires_at, revoked_at, created_by, when }) => [
    ...[rule_id, safeText(agent), safeText(capability), revoked_at === null ? isoMinute(expires_at) : `revoked ${isoMinute(revoked_at)}`],
    ...[safeText(created_by), when === null ? 'any arguments' : safeJson(when)],
  ]);
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  return 0;
}

export async function approvalsRevoke(id: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'revoke a rule');
  const { revoked } = await client.call('approval.revoke_rule', { rule_id: id });
  if (flags.json === true) return await printJson(host, { rule_id: id, revoked });
  await host.stdout.write(revoked ? `Rule ${safeText(id)} is revoked.\n` : `Rule ${safeText(id)} was over already.\n`);
  return 0;
}

export async function approvalsWatch(flags: WorkspaceFlags, host: Host): Promise<number> {
  return await untilSignal(host, async (signal) => {
    await using client = await openWorkspaceClient(flags, host, 'watch approvals');
    const seen = new Set<string>();
    const isAsking = host.stdin.isTerminal && flags.json !== true;
    using keys = isAsking ? new Keys(host) : undefined;
    if (isAsking) await host.stderr.write('warren: waiting for questions (q ends)\n');
    for (;;) {
      // Taken first, so that nothing is asked unseen between the list and the first event.
      const { next_event_id } = await client.call('event.extent', {});
      for (const listed of await waiting(client)) {
        const { approval_id, input_is_whole } = listed;
        if (seen.has(approval_id)) continue;
        seen.add(approval_id);
        const question = input_is_whole ? listed : await client.call('approval.get', { approval_id });
        if (question.state !== 'pending') continue;
        await host.stdout.write(flags.json === true ? `${safeJson(question)}\n` : formatApproval(question));
        if (keys !== undefined && !(await answer(client, question, keys, host))) return 0;
      }
      if (keys?.ended.aborted === true) return 0;
      await nextQuestion(client, next_event_id - 1, signal, keys?.ended);
    }
  });
}

/** Oldest first. */
async function waiting(client: Client): Promise<readonly ApprovalRecord[]> {
  return (await client.call('approval.list', { state: 'pending', limit: 200 })).approvals.toReversed();
}

/** Resolves when something was asked, after a while, or when nobody wants to be asked any more. */
async function nextQuestion(client: Client, after: number, signal: AbortSignal, ended: AbortSignal | undefined): Promise<void> {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(WATCH_WAIT_MS), ...(ended === undefined ? [] : [ended])]);
  try {
    for await (const _ of client.events({ after, kind: 'kernel.approval.requested' }, { signal: ending })) return;
  } catch (error) {
    if (!ending.aborted) throw error;
  }
  signal.throwIfAborted();
}

/** False: whoever sits there wants no more. */
async function answer(client: Client, { approval_id, call_hash }: ApprovalRecord, keys: Keys, host: Host): Promise<boolean> {
  await host.stderr.write('  [a]pprove, [r]eject, [s]kip, [q]uit? ');
  for (;;) {
    const key = await keys.next();
    if (key === undefined) return await said(host, 'quit', false);
    if (key === 's') return await said(host, 'skipped', true);
    if (key !== 'a' && key !== 'r') continue;
    try {
      const { state } = await client.call(key === 'a' ? 'approval.approve' : 'approval.reject', { approval_id, call_hash });
      return await said(host, state, true);
    } catch (error) {
      return await said(host, error instanceof Error ? safeText(error.message) : 'failed', true); // Somebody else was first, perhaps.
    }
  }
}

async function said<T>(host: Host, text: string, value: T): Promise<T> {
  await host.stderr.write(`${text}\n`);
  return value;
}

const QUIT: ReadonlySet<string> = new Set(['q', '\u0003', '\u0004']);
/** What a terminal sends for arrows and the like: it ends in letters that nobody pressed. */
const SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O.)/g;

/**
 * Keys of the terminal. What is pressed while nobody asks answers nothing, or it would answer a question that was not read yet; and what comes in one
 * piece is no key but a paste.
 */
class Keys implements Disposable {
  readonly #raw: Disposable;
  readonly #host: Host;
  readonly #ending = new AbortController();
  #asked: ((key: string) => void) | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#raw = host.stdin.raw();
    void this.#read();
  }

  /** Aborts when whoever sits there wants no more, or the terminal is gone. */
  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /** The next that is pressed from now on; undefined when it has ended. */
  async next(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const end = (): void => resolve(undefined);
    this.ended.addEventListener('abort', end, { once: true });
    if (this.ended.aborted) end();
    this.#asked = resolve;
    const key = await promise;
    this.#asked = undefined;
    this.ended.removeEventListener('abort', end);
    return key;
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#host.stdin.read()) {
        const text = Buffer.from(chunk).toString('latin1').replaceAll(SEQUENCE, '');
        if (QUIT.has(text)) return;
        if (text.length === 1) this.#asked?.(text);
      }
    } catch {
      // A terminal that cannot be read is one that is gone.
    } finally {
      this.#ending.abort();
    }
  }

  [Symbol.dispose](): void {
    this.#raw[Symbol.dispose]();
    this.#host.stdin.close();
  }
}

async function tell(approval: ApprovalRecord, flags: WorkspaceFlags, host: Host): Promise<number> {
  if (flags.json === true) return await printJson(host, approval);
  const { state, terms, votes } = approval;
  const missing = terms.quorum - votes.length;
  const more = state === 'pending' ? `; ${missing} more ${missing === 1 ? 'person has' : 'people have'} to say yes` : '';
  await host.stdout.write(`${approval.approval_id} is ${state}${more}.\n`);
  return 0;
}

function formatApproval(approval: ApprovalRecord): string {
  const { rule, reasoning, terms, votes, reason, edited_input } = approval;
  const lines: LabelledLine[] = [
    ['approval', approval.approval_id],
    ['state', approval.state],
    ['agent', `${safeText(approval.agent)} (process ${approval.pid})`],
    ['call', safeText(approval.capability)],
    ['asked', `${isoSecond(approval.created_at)}, until ${isoSecond(approval.expires_at)}`],
    ...(rule === null ? [] : [['because', safeText(`${rule.reason ?? 'a rule says so'} (${rulePlace(rule)})`)] as const]),
    ...(reasoning === null ? [] : [['it says', safeText(reasoning)] as const]),
    ...(terms.quorum > 1 || terms.approvers.length > 0
      ? [['needs', `${terms.quorum} of ${terms.approvers.length === 0 ? 'anybody' : safeText(terms.approvers.join(', '))}`] as const]
      : []),
    ...votes.map(
      ({ approver, at, note }) => ['yes', safeText(`${approver}, ${isoSecond(at)}${note === null ? '' : `: ${note}`}`)] as const,
    ),
    ...(reason === null ? [] : [['reason', safeText(reason)] as const]),
  ];
  const input = `${safeJson(approval.input, 2)}\n`;
  const edited = edited_input === null ? '' : `changed to ${safeJson(edited_input, 2)}\n`;
  const cut = approval.input_is_whole
    ? ''
    : `These arguments are shortened${approval.state === 'pending' ? ': do not say yes to what you cannot read' : ''}.\n`;
  return `${formatLabelled(lines)}${input}${edited}${cut}`;
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}
