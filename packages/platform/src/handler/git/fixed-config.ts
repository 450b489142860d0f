/**
 * The configuration git runs with. It never reads a repository's own: that may name programs in dozens of places (`core.fsmonitor`, `diff.external`,
 * `filter.*.smudge`, `include.path`, …), and more with each release. What a repository says is read as data, and what is harmless is written into a
 * configuration of ours (see `open-repository.ts`). So there is no list of dangerous keys that could be incomplete.
 */

/** A key as git lists it (section and variable in lower case) with its value. */
export type Setting = { readonly key: string; readonly value: string };

/** Many of these are git's defaults: said again, so that a later git with other ones changes nothing. */
const FIXED: readonly (readonly [string, string])[] = [
  ['advice.detachedHead', 'false'],
  ['commit.gpgSign', 'false'],
  ['core.alternateRefsCommand', 'true'],
  ['core.askPass', 'true'],
  ['core.attributesFile', '/dev/null'],
  ['core.editor', 'false'],
  ['core.excludesFile', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.gitProxy', ''],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.quotePath', 'false'],
  ['core.sshCommand', 'false'],
  ['credential.helper', ''],
  ['diff.ignoreSubmodules', 'dirty'], // A submodule is a repository with a configuration of its own: git would run in it.
  ['fetch.recurseSubmodules', 'false'],
  ['gc.auto', '0'],
  ['i18n.logOutputEncoding', 'UTF-8'],
  ['init.defaultBranch', 'main'],
  ['maintenance.auto', 'false'],
  ['pack.threads', '1'],
  ['protocol.version', '2'],
  ['push.recurseSubmodules', 'no'],
  ['receive.autogc', 'false'],
  ['receive.denyCurrentBranch', 'refuse'],
  ['safe.directory', '*'], // Whose a directory is says nothing here: everything of it that could run is left out.
  ['submodule.recurse', 'false'],
  ['transfer.advertiseSID', 'false'],
  ['url.warren::http://.insteadOf', 'http://'],
  ['url.warren::https://.insteadOf', 'https://'],
];

/** What a repository may decide: how its files are stored and where its branches come from. Each of them is a word, a name or a URL to git, never a program. */
const KEPT: readonly RegExp[] = [
  /^core\.(repositoryformatversion|filemode|symlinks|ignorecase|precomposeunicode|autocrlf|eol|sparsecheckout|sparsecheckoutcone|logallrefupdates)$/,
  /^extensions\.objectformat$/,

  /^branch\..+\.(remote|merge)$/,
  /^remote\..+\.(url|pushurl|fetch)$/,
  /^diff\.(algorithm|renames|renamelimit)$/,
  /^merge\.(conflictstyle|renames|renamelimit)$/,
];

/** Extensions that change nothing once their keys are not read. */
const IGNORED_EXTENSIONS = new Set(['extensions.worktreeconfig', 'extensions.noop', 'extensions.preciousobjects']);

/** Of what `git config --list -z` prints. */
export function parseSettings(listing: string): readonly Setting[] {
  return listing
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const end = entry.indexOf('\n');
      return end === -1 ? { key: entry, value: 'true' } : { key: entry.slice(0, end), value: entry.slice(end + 1) };
    });
}

/** What is kept of a repository's settings. */
export function keepSettings(settings: readonly Setting[]): readonly Setting[] {
  return settings.filter(({ key }) => KEPT.some((pattern) => pattern.test(key)));
}

/** The extension this repository cannot be read without, and that is not supported. */
export function unsupportedExtension(settings: readonly Setting[]): string | undefined {
  return settings.find(({ key }) => key.startsWith('extensions.') && key !== 'extensions.objectformat' && !IGNORED_EXTENSIONS.has(key))
    ?.key;
}

export function fixedConfig(): string {
  return formatConfig(FIXED.map(([key, value]) => ({ key, value })));
}

/** A configuration file. Values are quoted whole, so nothing in them ends a line or begins a section. */
export function formatConfig(settings: readonly Setting[]): string {
  return settings.map(formatSetting).join('');
}

function formatSetting({ key, value }: Setting): string {
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  const section = key.slice(0, first);
  const header = first === last ? `[${section}]` : `[${section} "${quote(key.slice(first + 1, last))}"]`;
  const text = quote(value).replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\b', '\\b');
  return `${header}\n\t${key.slice(last + 1)} = "${text}"\n`;
}

function quote(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
