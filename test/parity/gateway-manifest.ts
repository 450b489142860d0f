/**
 * What a gateway between agents and a machine has to hold, as another system of the kind promises it: each of its sixty checks once, in our words. `origin` is the
 * number of the check. Tests cite an entry with `provesGate`.
 */

type Entry = { readonly origin: number; readonly behaviour: string };

export type GateProved = Entry & {
  /** What we do otherwise on purpose, and why. The tests hold us to ours. */
  readonly differs?: string;
};

/** What nothing of ours does yet: agents that connect over a network, secrets, and services of others behind a proxy. */
export type GateWaiting = Entry & { readonly waitsFor: 'connections' | 'secrets' | 'services'; readonly why: string };

export const GATE_ORIGINS: readonly number[] = Array.from({ length: 60 }, (_, index) => index + 1);

export const GATE_MANIFEST = {
  // Connections.
  'connection:unknown-token': {
    origin: 1,
    behaviour: 'An agent with an unknown token is refused, and told not to try again',
    waitsFor: 'connections',
    why: 'agents do not connect over WebSocket yet; that unknown tokens are refused on the ports there are is proved elsewhere',
  },
  'connection:revoked': {
    origin: 2,
    behaviour: 'A revoked token is told apart from an unknown one',
    waitsFor: 'connections',
    why: 'agents do not connect over WebSocket yet',
  },
  'connection:before-initialize': {
    origin: 3,
    behaviour: 'Tools are not listed before the session began',
    waitsFor: 'connections',
    why: 'there is no MCP yet',
  },
  'connection:initialize': {
    origin: 4,
    behaviour: 'A session begins with the name of the server and whether lists change',
    waitsFor: 'connections',
    why: 'there is no MCP yet',
  },
  'policy:blocked-is-hidden': {
    origin: 5,
    behaviour: 'What policy blocks for an agent is not among what it is offered, and calling it is denied by name',
  },
  'file:missing': {
    origin: 6,
    behaviour: 'Reading a file that is not there fails with a word of its own, and the recovery names a capability that exists',
  },
  'connection:batch': {
    origin: 7,
    behaviour: 'A batch of calls is answered with as many answers, in their order',
  },
  'connection:protocol-errors': {
    origin: 8,
    behaviour: 'An unknown method and malformed JSON have the numbers that JSON-RPC gives them',
  },

  // Files.
  'input:missing-field': {
    origin: 9,
    behaviour: 'A required argument that is missing is named, and nothing is carried out',
  },
  'file:parent-missing': {
    origin: 10,
    behaviour: 'A file whose directory is missing is not written unless directories are asked for, and nothing is created',
  },
  'file:atomic': {
    origin: 11,
    behaviour: 'A write that is cut off leaves the old content or the new, never a mix',
    differs: 'What is tried is cancelling at many moments; a machine that dies is covered by the rename underneath.',
  },
  'file:escape': {
    origin: 12,
    behaviour: 'A link out of the workspace leads nowhere, and the try is in the audit',
    differs: 'There is no kind of entry of its own: the entry of the call says PathOutOfScope.',
  },
  'file:not-empty': { origin: 13, behaviour: 'A directory that is not empty is not deleted' },
  'file:trash': {
    origin: 14,
    behaviour: 'What was deleted is brought back with the same bytes to the same place, for a day',
  },
  'file:count-mismatch': { origin: 15, behaviour: 'An edit that finds another number of places than expected writes nothing' },
  'file:edit-ambiguous': { origin: 16, behaviour: 'An edit is told either how many places or all places, not both' },
  'file:stat-missing': { origin: 17, behaviour: 'Asking whether something exists succeeds when it does not' },
  'file:aggregate': { origin: 18, behaviour: 'Files are counted by their ending, those without one too' },

  // Commands.
  'command:timeout': {
    origin: 19,
    behaviour: 'A command that takes too long is an answer that says so, with what it had printed, and nothing of it is left running',
  },
  'command:clamped': { origin: 20, behaviour: 'A time limit beyond the longest is taken for the longest, and the answer says which' },
  'command:destruction': {
    origin: 21,
    behaviour: 'A command that would remove a directory of the system is blocked, whatever the policies say and if there are none',
  },
  'command:kill': { origin: 22, behaviour: 'What ignores being asked to end is killed after its time' },
  'command:fork-bomb': { origin: 23, behaviour: 'A fork bomb meets its limit, the host does not notice, and the error names it' },
  'command:memory': { origin: 24, behaviour: 'Memory beyond the limit ends the command, and the error names it' },
  'command:no-network': { origin: 25, behaviour: 'A command has no network but loopback' },

  // The network.
  'network:not-allowed': { origin: 26, behaviour: 'A host that is not allowed is refused before it is looked up' },
  'network:private': {
    origin: 27,
    behaviour: 'A host that is allowed and has an address of this machine or its network is refused',
  },

  // Secrets.
  'secret:unlisted': {
    origin: 28,
    behaviour: 'A secret that allows no capability cannot be told from one that is not there',
    waitsFor: 'secrets',
    why: 'there is no vault yet',
  },
  'secret:echoed': {
    origin: 29,
    behaviour: 'A secret that comes back in an answer is taken out',
    waitsFor: 'secrets',
    why: 'there is no vault yet',
  },
  'secret:any-host': {
    origin: 30,
    behaviour: 'A secret for every host is asked about',
    waitsFor: 'secrets',
    why: 'there is no vault yet',
  },

  // State.
  'state:compare-and-set': { origin: 31, behaviour: 'Of two agents that make the same shared value one wins, the other is told' },
  'state:history': { origin: 32, behaviour: 'The newest hundred versions of a value are kept' },
  'state:quota': { origin: 33, behaviour: 'A value that does not fit is refused, and the others are as they were' },
  'state:apart': { origin: 34, behaviour: 'What one agent keeps for itself no other finds' },

  // Policy.
  'policy:rate': {
    origin: 35,
    behaviour: 'The third call of two that are allowed in an hour is asked about, also after a restart',
  },
  'policy:most-restrictive': { origin: 36, behaviour: "What the organization wants to be asked about an agent's own file does not allow" },
  'policy:hot-reload': {
    origin: 37,
    behaviour: 'A changed file decides the next call, and one with a mistake keeps what was in force and says where it is',
    differs: 'The mistake is in the status of the policies and in the log, not in an alert.',
  },

  // Approvals.
  'approval:waits': {
    origin: 38,
    behaviour: 'A call that waits is carried out when it is approved and answers its caller, and the audit says so',
  },
  'approval:expired': { origin: 39, behaviour: 'What has expired cannot be approved and is not carried out' },
  'approval:rejected': { origin: 40, behaviour: 'The reason of a rejection reaches the agent' },
  'approval:once': { origin: 41, behaviour: 'Of two who decide at once one wins, the other is told what was decided' },

  // Audit.
  'audit:tampering': { origin: 42, behaviour: 'A changed and a missing entry are found, and where' },
  'audit:full-disk': {
    origin: 43,
    behaviour: 'On a full disk the audit has no hole',
    differs: 'Calls are refused, always: nothing is done that cannot be recorded.',
  },
  'audit:redacted': {
    origin: 44,
    behaviour: 'An argument that is named like a secret is not in the audit',
    differs: 'It is marked as redacted, without its name, which is beside it.',
  },

  // Services of others.
  'service:cancel-window': {
    origin: 45,
    behaviour: 'A mail can be called back within its time',
    waitsFor: 'services',
    why: 'there are no services behind a proxy yet',
  },
  'service:batch-protection': {
    origin: 46,
    behaviour: 'Many messages to one channel are held back',
    waitsFor: 'services',
    why: 'there are no services behind a proxy yet',
  },
  'service:rollback': {
    origin: 47,
    behaviour: 'A deletion can be taken back for three days',
    waitsFor: 'services',
    why: 'there are no services behind a proxy yet',
  },
  'service:dead-letters': {
    origin: 48,
    behaviour: 'What a service did not take is tried again, and then told',
    waitsFor: 'services',
    why: 'there are no services behind a proxy yet',
  },

  // Messages and times.
  'message:offline': { origin: 49, behaviour: 'A message to an agent that does not run waits for it, the urgent ones first' },
  'message:peek': { origin: 50, behaviour: 'Messages that are not acknowledged are read again' },
  'cron:refused': { origin: 51, behaviour: 'A schedule that is none and a capability that is not there are refused, each by its word' },
  'cron:apart': { origin: 52, behaviour: 'Nobody sees what others have scheduled' },

  // Packs.
  'pack:installed': { origin: 53, behaviour: 'What a pack brings can be called as soon as it is installed, without a restart' },
  'pack:notified': {
    origin: 53,
    behaviour: 'Who is connected hears that the list has changed',
    waitsFor: 'connections',
    why: 'agents do not connect over a network yet',
  },
  'pack:invalid-return': {
    origin: 54,
    behaviour: 'A pack that answers something else than it promises is an error of its own',
  },
  'pack:checksum': { origin: 55, behaviour: 'A pack that is not what its checksum says is not installed' },

  'agent:paused': { origin: 56, behaviour: 'An agent that is paused may not act, and goes on when it is resumed' },
  'health:critical': {
    origin: 57,
    behaviour: 'Health over HTTP says 503 when something critical is down',
    waitsFor: 'connections',
    why: 'the HTTP interface for people is not there yet',
  },

  // Code.
  'code:ambiguous': { origin: 58, behaviour: 'An edit that fits several places names them and changes nothing' },
  'code:all-or-none': { origin: 59, behaviour: 'Of several edits all are made or none, and the one that failed is named' },

  'bridge:token-in-arguments': {
    origin: 60,
    behaviour: 'A bridge does not take a token on its command line',
    waitsFor: 'connections',
    why: 'there is no bridge yet',
  },
} as const satisfies Readonly<Record<string, GateProved | GateWaiting>>;

type Manifest = typeof GATE_MANIFEST;

/** What can be cited. */
export type GateProvedId = { [Id in keyof Manifest]: Manifest[Id] extends { readonly waitsFor: string } ? never : Id }[keyof Manifest];
