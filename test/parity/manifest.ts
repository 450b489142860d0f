/**
 * What users of an earlier system rely on, and where that system failed them: each group of its behaviours once, in our words. `origin` is the
 * number of the group, so that none is forgotten; a group of which a part has to wait has two entries. Tests cite an entry with `proves`.
 */

export type Origin = number | `B${number}`;

type Entry = { readonly origin: Origin; readonly behaviour: string };

/** What a test proves today. */
export type Proved = Entry & {
  /** What we do otherwise on purpose, and why. The tests hold us to ours. */
  readonly differs?: string;
};

/** What nothing of ours does yet. */
export type Waiting = Entry & { readonly waitsFor: 'agents'; readonly why: string };

/** Groups 1 to 52 are what it did; B1 to B14 what it should have done. */
export const ORIGINS: readonly Origin[] = [
  ...Array.from({ length: 52 }, (_, index) => index + 1),
  ...Array.from({ length: 14 }, (_, index): Origin => `B${index + 1}`),
];

export const MANIFEST = {
  // Processes and events.
  'process:create': {
    origin: 1,
    behaviour: 'A new process is READY, has one event that says so, and a pid larger than any before it, also after all others are gone',
  },
  'process:create-refused': {
    origin: 2,
    behaviour: 'A process needs a parent that exists, a name that is not empty and a template that is text',
    differs:
      'What has the wrong type is refused by the contract (-32602), what breaks a rule of the kernel by its own code; both name the field.',
  },
  'process:moves': {
    origin: 3,
    behaviour: 'Of the 25 ways from one state to another exactly ten are open, and from DEAD there is none',
  },
  'process:illegal-move': {
    origin: 4,
    behaviour: 'A move that is refused names both states and leaves the process as it was',
  },
  'process:started-and-ended': {
    origin: 5,
    behaviour: 'The first RUNNING sets when it started and later ones do not; its end keeps the kind, the details and the time',
    differs:
      'Ending a parent ends its descendants unless they were created to stay, and it gets no new ones: nothing is left running that nobody watches.',
  },
  'process:events': {
    origin: 6,
    behaviour: 'Creating, moving and ending leave one event each, in order, with the states before and after',
    differs: 'The event of a new process also says whose run it is and what becomes of it when its parent ends.',
  },
  'event:append': {
    origin: 7,
    behaviour:
      'Anybody may append events of a process that exists, but none of a kind of the kernel; the newest is the last of its process',
  },
  'event:tail': {
    origin: 8,
    behaviour: 'Reading goes on where it stopped, and filters by process and kind add up',
  },
  'process:recovery': {
    origin: 9,
    behaviour: 'After a restart what ran or waited is suspended, or dead if that was asked for, each with one event, and once only',
    differs: 'Unless asked for, a process that waits goes on waiting: a restart is no reason to stop what did not run.',
  },
  'store:fresh': {
    origin: 10,
    behaviour: 'A new store counts nothing and begins with pid 1 and event 1',
    differs: 'The version of the schema is our own, and each workspace counts from 1.',
  },
  'event:concurrent': {
    origin: 11,
    behaviour: 'Events appended by several clients at once get ids of their own, ascending for each client',
  },

  // Grants.
  'grant:default-deny': {
    origin: 12,
    behaviour: 'Who was given nothing may nothing, and grants are given once',
    differs: 'A process that is DEAD holds nothing, whatever it was given.',
  },
  'grant:hosts': {
    origin: 13,
    behaviour: 'A host is matched by itself, by a pattern of one level or of all levels below a domain, or by everything',
    differs: 'Names are compared as the resolver does, without case and the dot at the end, and a pattern may name a port.',
  },
  'grant:paths': {
    origin: 14,
    behaviour: 'A prefix stands for itself and what is below it, not for its neighbours, and for writing only if it says so',
  },
  'grant:derive': {
    origin: 15,
    behaviour: 'What is derived lies within what the parent holds; whatever goes beyond is refused and the field named',
    differs:
      'Patterns are compared as sets, so `api.example.com` can be derived from `*.example.com`; a child can get nothing beyond its parent on any way; and only what is below a process can be given of its grants.',
  },

  // Ledger.
  'ledger:charge': {
    origin: 16,
    behaviour:
      'Charges add up and say once when they cross the warning line and once when they cross the limit; refunds and new grants count',
    differs: 'What is reserved for calls under way counts as used in a check.',
  },
  'ledger:refused': {
    origin: 17,
    behaviour: 'Each kind of bad amount, share, refund and dimension has an error of its own; a charge of nothing is fine',
  },
  'ledger:concurrent': {
    origin: 18,
    behaviour: 'No charge is lost when several clients charge at once',
  },

  // Scheduler.
  'queue:order': {
    origin: 19,
    behaviour: 'Work is handed out by priority, then in the order it came, and not before its time',
    differs:
      'Waiting a minute is worth one priority, so that nothing waits for ever. Numbers may be text, but half a priority is refused, not cut.',
  },
  'queue:deadline': {
    origin: 20,
    behaviour: 'What is past its deadline is not handed out and can be swept; what was handed out before stays',
    differs: 'It expires by itself in time, also if nobody sweeps.',
  },
  'queue:claimed-once': {
    origin: 21,
    behaviour: 'However many claim at once, each entry is handed out once',
  },
  'queue:illegal-move': {
    origin: 22,
    behaviour: 'Completing what was not handed out and cancelling what was are refused with the state and the attempt',
  },
  'queue:refused': {
    origin: 23,
    behaviour: 'Work for a dead process, with a deadline before its time, without a trigger or at a negative time is refused',
  },
  'queue:admission': {
    origin: 24,
    behaviour: 'Work of a process beyond its budget waits until there is budget again, unless the claim does not care',
  },

  // Mail and names.
  'mail:full': {
    origin: 25,
    behaviour: 'A mailbox takes as many unread messages as it was made for, and has room again once they are read',
    differs:
      'A size beyond what a mailbox can be is refused, and what was read and never acknowledged is bounded, too: the oldest of it makes room.',
  },
  'mail:publish': {
    origin: 26,
    behaviour: 'Who is subscribed gets a copy, who is full is counted, and if it is asked for all get one or none',
  },
  'mail:receive': {
    origin: 27,
    behaviour: 'Reading goes on after a cursor, peeking leaves no trace, and what expired is never seen and swept in the end',
  },
  'mail:box': {
    origin: 28,
    behaviour: 'A mailbox goes with its messages and subscriptions; subscribing twice is once; messages sent at once have ids of their own',
    differs: 'It also goes with its process, and who sends is a process that exists, or nobody in particular.',
  },
  'name:register': {
    origin: 29,
    behaviour: 'A name is of one process, well formed and not too long; tags count once; a prefix is literal',
    differs: 'Names go with their process, and case counts in prefixes and tags.',
  },

  // Files of agents.
  'file:write': {
    origin: 30,
    behaviour: 'Bytes come back as they went in, the first writer stays the owner, odd paths are refused, and read-only is',
    differs: 'A path has one spelling: empty names, `.` and a slash at the end are refused as well.',
  },
  'file:quota': {
    origin: 31,
    behaviour: 'A write beyond the budget leaves no file and no charge; writes add up; without a budget they are free',
  },

  // The wire and its contract.
  'wire:errors': {
    origin: 32,
    behaviour: 'Errors are answered with status 200 and their code, another version with 426, and a notification with 204',
    differs:
      'A notification is never answered, also when it fails, and an id of null is an id: so says JSON-RPC. The version may be left out, and an empty object stands for no parameters.',
  },
  'wire:contract': {
    origin: 33,
    behaviour: 'The methods that are served are the 58 that were promised, and a stray or missing one is noticed',
  },

  // Runners.
  'runner:one-at-a-time': {
    origin: 34,
    behaviour: 'Work that is handed out makes its process RUNNING; it is not handed out twice at once, nor for a process that ended',
    differs: 'Runs come from the queue, so a process that runs already keeps its next work waiting and refuses nobody.',
  },
  'runner:spawn': {
    origin: 34,
    behaviour: 'A runner is started, says that it is ready, and its end is the end of its process',
    waitsFor: 'agents',
    why: 'there are no runners yet',
  },
  'runner:killed': {
    origin: 35,
    behaviour: 'A runner that is killed has crashed, and the next one can be started',
    waitsFor: 'agents',
    why: 'there are no runners yet; that the work of a dead worker is taken back is proved',
  },
  'ledger:measured': {
    origin: 36,
    behaviour: 'What is charged to a process is in its ledger, and crossing a limit leaves one event that names the dimension',
    differs: "The event is the kernel's own, `kernel.ledger.breached`, and so cannot be forged.",
  },
  'runner:charges': {
    origin: 36,
    behaviour: 'What a run used, its time included, is charged when it ends',
    waitsFor: 'agents',
    why: 'there are no runners yet to measure',
  },
  'runner:chunks': {
    origin: 37,
    behaviour: 'Pieces of output arrive once each and in order, whatever the listener does',
    waitsFor: 'agents',
    why: 'there are no runners yet',
  },
  'worker:concurrency': {
    origin: 38,
    behaviour: 'A worker runs no more at once than it may, finishes what runs when it stops, and hands back what it must drop',
    differs: 'Dropped work is back in the queue and not lost, and budgets that are spent keep work from starting.',
  },

  // Tools.
  'tool:dispatch': {
    origin: 39,
    behaviour: 'Each way a call can fail has a word of its own',
    differs:
      'A capability that is unknown, not granted or called with bad arguments is told apart before anything runs; what an implementation answers wrongly is `InternalError`, with the details in the audit.',
  },
  'tool:read-write': {
    origin: 40,
    behaviour: 'Files are read and written as granted, and bytes that are no text arrive',
    differs: 'A file is written beside its place and moved there, so it is old or new and never half.',
  },
  'tool:glob': {
    origin: 41,
    behaviour: 'Patterns find files below a directory, sorted and bounded',
    differs: 'A number beyond the largest one is taken for the largest one.',
  },
  'tool:list': {
    origin: 42,
    behaviour: 'A directory lists its entries and what they are',
    differs: 'A directory and a link have the size that the file system says.',
  },
  'tool:diff-and-outline': {
    origin: 43,
    behaviour: 'Differences of texts and outlines of programs are bounded and survive bad input',
    differs: 'Six languages besides Python have outlines; what no language is known for is refused by a word of its own.',
  },
  'tool:exec': {
    origin: 44,
    behaviour: 'Commands run without a shell, without our environment, and within time and output',
    differs:
      'A program is found by its name as well, runs in a sandbox that holds only what was granted, and without a network. Only the last lines of its output are answered.',
  },
  'tool:fetch': {
    origin: 45,
    behaviour: 'Only public hosts that are granted are reached, also after redirects',
    differs:
      'Every method but TRACE and CONNECT may be used, an answer that is too large is refused instead of cut, and no header of the caller follows a redirect to another origin.',
  },
  'tool:git': {
    origin: 46,
    behaviour: 'A repository can be read and not changed, and options cannot be smuggled in',
  },

  // Models.
  'model:loop': {
    origin: 47,
    behaviour: 'A model and its tools take turns until it is done or may not go on, and each call is charged once',
    waitsFor: 'agents',
    why: 'there is no loop yet',
  },
  'model:dialogue': {
    origin: 48,
    behaviour: 'A conversation goes on where it was, also after a restart and a failed turn',
    waitsFor: 'agents',
    why: 'there are no sessions yet',
  },

  'bridge:mirror': {
    origin: 49,
    behaviour: 'Messages of a chat can be mirrored through topics: a copy for each subscriber, and a failed delivery holds up no other',
    differs: 'There is no library of bridges: topics and mail carry one. What could not be delivered comes again instead of being lost.',
  },
  'observe:views': {
    origin: 50,
    behaviour: 'Views of a process, of everything, and of what led to an event are whole and add up, and so do the metrics',
  },
  'chaos:drills': {
    origin: 51,
    behaviour: 'Trouble on purpose is repeated by its seed, and the kernel goes on after it',
  },
  'sandbox:limits': {
    origin: 52,
    behaviour:
      'Memory, processor time, file size and lifetime end what goes beyond them, the network is closed, and bad limits are refused',
    differs:
      'The walls and the closed network are always there and need not be asked for. A directory of the host may be named from where the caller stands: it is made canonical first.',
  },

  // Better than before.
  'grant:canonical-paths': {
    origin: 'B1',
    behaviour: 'A path that climbs out of what is granted is not granted, however it is spelled',
  },
  'tool:canonical-paths': {
    origin: 'B1',
    behaviour: 'Files outside of what is granted are not reached through `..` or a link',
  },
  'tool:pinned-address': {
    origin: 'B2',
    behaviour: 'The address that was checked is the one that is connected to',
  },
  'tool:deadlines': {
    origin: 'B3',
    behaviour: 'A time limit is for all of a call, and no descendant outlives it',
  },
  'tool:git-inert': {
    origin: 'B4',
    behaviour: 'A hostile repository runs nothing and shows nothing of outside',
  },
  'ledger:breach-stops': {
    origin: 'B5',
    behaviour: 'Crossing a limit suspends or ends the process, as its budget says, and more budget lets it go on',
  },
  'runner:wall-and-model': {
    origin: 'B5',
    behaviour: 'Time that is over ends a run, and a model that was not granted is never called',
    waitsFor: 'agents',
    why: 'there are no runners and no model calls yet',
  },
  'queue:leases': {
    origin: 'B6',
    behaviour:
      'Work of a dead worker comes back, what fails again and again is set aside, and no entry is lost to another or to a suspended process',
  },
  'mail:acknowledge': {
    origin: 'B7',
    behaviour: 'Mail is handed out until it is acknowledged and never after, and a payload has a largest size',
  },
  'wire:typed-errors': {
    origin: 'B8',
    behaviour: 'Codes and details reach the client, requests come in batches, and a body that is too large is refused',
  },
  'runner:large-output': {
    origin: 'B9',
    behaviour: 'Large results and stray output harm no run, and every run ends',
    waitsFor: 'agents',
    why: 'there are no runners yet',
  },
  'tool:bounded-output': {
    origin: 'B10',
    behaviour: 'Output beyond its bound costs no memory',
  },
  'wire:wrong-tokens': {
    origin: 'B11',
    behaviour: 'Wrong tokens lock guesses from their address out whatever the connection, and callers leave nothing behind that grows',
    differs: 'Who does not say who it is gets no name: nothing would be done with it.',
  },
  'store:committed-only': {
    origin: 'B12',
    behaviour: 'What is not committed is seen by nobody else',
  },
  'runner:stop': {
    origin: 'B13',
    behaviour: 'A runner that is asked to stop does so promptly and as it was asked',
    waitsFor: 'agents',
    why: 'there are no runners yet',
  },
  'tool:outline-and-diff': {
    origin: 'B14',
    behaviour: 'Outlines are complete, differences exact, and tools bounded in time and input',
  },
} as const satisfies Readonly<Record<string, Proved | Waiting>>;

type Manifest = typeof MANIFEST;

/** What can be cited. */
export type ProvedId = { [Id in keyof Manifest]: Manifest[Id] extends { readonly waitsFor: string } ? never : Id }[keyof Manifest];
