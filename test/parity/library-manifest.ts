/**
 * What an embedded platform for tenants has to hold, from what an earlier system of the kind did and where it failed: each of its forty checks once, in our words. `origin` is the number of the check. Tests cite an entry with
 * `provesLibrary`.
 */

type Entry = { readonly origin: number; readonly behaviour: string };

export type LibraryProved = Entry & { /** What we do otherwise on purpose, and why. */ readonly differs?: string };

/** A test elsewhere holds us to it: a file, and words of the titles in it. */
export type LibraryWaiting = Entry & { readonly waitsFor: 'elsewhere'; readonly heldBy: Readonly<Record<string, readonly string[]>> };

export const LIBRARY_ORIGINS: readonly number[] = Array.from({ length: 40 }, (_, index) => index + 1);

const MEMORY = 'packages/platform/src/memory';
const elsewhere = (file: string, ...titles: readonly string[]) => ({ waitsFor: 'elsewhere', heldBy: { [file]: titles } }) as const;

export const LIBRARY_MANIFEST = {
  'state:sensitive': { origin: 1, behaviour: 'A directory of the system is refused as state directory' },
  'id:length': { origin: 2, behaviour: 'An id has at most 128 characters' },
  'id:hostile': {
    origin: 3,
    behaviour: 'Ids that could mean another path are refused',
    differs: 'a hyphen in front is refused too: programs would read an option',
  },
  'workspace:exists': { origin: 4, behaviour: 'A second one of an id, and one that is not there, are refused in words that say so' },
  'config:no-secrets': { origin: 5, behaviour: 'Neither key nor passphrase is written down' },
  'workspace:no-passphrase': { origin: 6, behaviour: 'Without a passphrase nothing is made, and the id stays free' },
  'workspace:list': { origin: 7, behaviour: 'Directories that are no workspaces are not listed' },
  'memory:apart': { origin: 8, behaviour: 'What one workspace stores another does not find' },
  'credentials:round-trip': { origin: 9, behaviour: 'What was stored comes back, is nowhere in plain, and is sealed anew each time' },
  'credentials:tampered': { origin: 10, behaviour: 'A changed bit is noticed' },
  'credentials:wrong-passphrase': { origin: 11, behaviour: 'A wrong passphrase is told apart from nothing stored' },
  'credentials:ids': { origin: 12, behaviour: 'Names that objects inherit are refused or absent' },
  'credentials:moved': { origin: 13, behaviour: 'A value that was moved to another name is not given out' },
  'credentials:delete': { origin: 14, behaviour: 'Deleting says whether it was there; lists have ids alone' },
  'skills:enable': { origin: 15, behaviour: 'Only skills that there are can be enabled, once' },
  'skills:run': { origin: 16, behaviour: 'A skill gets its parameters' },
  'skills:refused': { origin: 17, behaviour: 'A skill that is not enabled or not whole does not run' },
  'skills:failed': { origin: 18, behaviour: 'A failure says its code, and no secret' },
  'skills:ended': { origin: 19, behaviour: 'Nothing of a skill outlives it' },
  'skills:output': { origin: 20, behaviour: 'Output and environment are bounded' },
  'skills:environment': { origin: 21, behaviour: 'Credentials cannot change how programs run' },
  'memory:words': {
    origin: 22,
    behaviour: 'Words that mean nothing are left out',
    ...elsewhere(`${MEMORY}/terms.test.ts`, 'what was the solution for the bug', 'that thing we discussed about the API', 'go 42 a1'),
  },
  'memory:scripts': {
    origin: 23,
    behaviour: 'Words of scripts without spaces are told apart',
    ...elsewhere(`${MEMORY}/terms.test.ts`, 'API를 어제 논의한 방법', '昨日のAPIバグについて教えて'),
  },
  'memory:query': {
    origin: 24,
    behaviour: 'A query is text and no language',
    ...elsewhere(`${MEMORY}/open-memory.test.ts`, 'a"b c-d', 'takes %j for words'),
  },
  'memory:score': {
    origin: 25,
    behaviour: 'Scores are between 0 and 1',
    ...elsewhere(`${MEMORY}/rank.test.ts`, 'a BM25 of %d is a score of %d'),
  },
  'memory:age': {
    origin: 26,
    behaviour: 'Age counts when it is asked for',
    ...elsewhere(
      `${MEMORY}/rank.test.ts`,
      'after %d days of a half-life of 30 a score counts %d',
      'age does not count without a half-life',
    ),
  },
  'memory:merge': {
    origin: 27,
    behaviour: 'Words and meaning make one score',
    ...elsewhere(`${MEMORY}/rank.test.ts`, 'meaning and words are weighed'),
  },
  'memory:diversity': {
    origin: 28,
    behaviour: 'What is alike gives way when that is asked for',
    ...elsewhere(`${MEMORY}/rank.test.ts`, 'keeps the order where likeness counts little', 'puts what is unlike first where it counts'),
  },
  'memory:chunks': {
    origin: 29,
    behaviour: 'Long text is cut into pieces',
    ...elsewhere(
      `${MEMORY}/chunk-text.test.ts`,
      'keeps lines whole and begins with the end',
      'cuts a line that is too long',
      'makes one chunk of nothing',
    ),
  },
  'memory:chinese': { origin: 30, behaviour: 'A word inside a sentence without spaces is found' },
  'memory:content': { origin: 31, behaviour: 'Only what was said is searched' },
  'memory:results': { origin: 32, behaviour: 'What is found has its id, its metadata and its date' },
  'memory:twice': { origin: 33, behaviour: 'The same text is one memory, also after a restart' },
  'wire:errors': {
    origin: 34,
    behaviour: 'Errors of a wire have numbers',
    ...elsewhere(
      'packages/gateway/src/jsonrpc/create-dispatcher.test.ts',
      'for the method %j, which there is not, is told so',
      'without an id is carried out and not answered, not even with an error',
      'that is not UTF-8 is a parse error',
    ),
  },
  'wire:text': {
    origin: 35,
    behaviour: 'Text that is cut in the middle of a character arrives whole',
    ...elsewhere(
      'packages/gateway/src/e2e/hostile.test.ts',
      'text that is cut in the middle of its characters arrives whole',
      'a body that does not say so is refused as soon as it is too large',
    ),
  },
  'wire:rate': {
    origin: 36,
    behaviour: 'Searches are limited',
    ...elsewhere(
      'packages/gateway/src/http/request-rates.test.ts',
      'a caller may send so many at once',
      'who sends too many is told when to come back',
    ),
  },
  'hooks:order': { origin: 37, behaviour: 'Hooks run in their order, and one that fails or forbids keeps a tool from being called' },
  'run:error': {
    origin: 38,
    behaviour: 'A provider that fails makes the run fail, with what it said',
    differs: 'other models are tried when there are providers of models; the script has one',
  },
  'walls:held': {
    origin: 39,
    behaviour: 'The walls of a sandbox hold',
    ...elsewhere('test/escape/walls.test.ts', 'is missed: $words', 'the host is unharmed'),
  },
  'agent:own-state': { origin: 40, behaviour: 'No id of a session leads out of the workspace, and what the agent sees is its files alone' },
} as const satisfies Record<string, LibraryProved | LibraryWaiting>;

export type LibraryProvedId = { [Id in keyof typeof LIBRARY_MANIFEST]: (typeof LIBRARY_MANIFEST)[Id] extends { readonly waitsFor: string } ? never : Id }[keyof typeof LIBRARY_MANIFEST]; // biome-ignore format: one line
