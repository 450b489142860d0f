import { type CompletionCommand, type CompletionModel, type CompletionOption, type CompletionValue, flatten } from './model.ts';

/** Needs fish 3. */
export function fishScript(model: CompletionModel): string {
  const { commands, options } = model;
  const groups = flatten(commands).filter(({ commands: inner }) => inner.length > 0);
  const run = commands.find(({ words }) => words.some(({ kind }) => kind === 'command'));
  const valued = (run?.options ?? [])
    .filter(({ value }) => value !== undefined)
    .flatMap(({ short, long }) => (short === undefined ? [long] : [short, long]));
  const mixed = groups.filter(({ words }) => words.length > 0);
  return `# Completion of warren for fish. Made by \`warren completion fish\`; use it as: warren completion fish | source

# The command of warren that was typed, or nothing; of one with commands of its own, that too.
function __warren_typed
    set -l typed
    for token in (commandline -opc)[2..-1]
        string match -q -- '-*' $token; and continue
        contains -- "$typed" ${mixed.map(({ path }) => quote(path)).join(' ')}; and not contains -- "$typed $token" ${mixed.flatMap(({ commands: inner }) => inner.map(({ path }) => quote(path))).join(' ')}; and break
        set -a typed $token
        contains -- "$typed" ${groups.map(({ path }) => quote(path)).join(' ')}; or break
    end
    echo "$typed"
end

function __warren_is
    test "$(__warren_typed)" = $argv[1]
end

# Arguments of the first capability that was typed, which is the first word with a dot that is no option's.
function __warren_arguments
    set -l before ''
    for token in (commandline -opc)[3..-1]
        if not string match -q -- '-*' $before; and string match -qr '^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)+$' -- $token
            command warren capability describe $token --names 2>/dev/null
            return
        end
        set before $token
    end
end

# The words of the command inside \`warren run\`; fails while it has not begun.
function __warren_inner
    set -l tokens (commandline -opc)
    set -l expects 0
    for index in (seq 3 (count $tokens))
        if test $expects = 1
            set expects 0
        else if test $tokens[$index] = --
            test (count $tokens) -gt $index; or return 1
            printf '%s\\n' $tokens[(math $index + 1)..-1]
            return
        else if contains -- $tokens[$index] ${valued.join(' ')}
            set expects 1
        else if not string match -q -- '-*' $tokens[$index]
            printf '%s\\n' $tokens[$index..-1]
            return
        end
    end
    return 1
end

function __warren_complete_inner
    complete -C (string join ' ' -- (string escape -- (__warren_inner)) (commandline -ct))
end

complete -c warren -f
${options.map((option) => flag(option, 'test -z "$(__warren_typed)"')).join('\n')}
${commands.map(({ name, summary }) => `complete -c warren -n 'test -z "$(__warren_typed)"' -a ${name} -d ${quote(summary)}`).join('\n')}
${flatten(commands).flatMap(branch).join('\n')}
`;
}

function branch({ path, options, words, commands }: CompletionCommand): readonly string[] {
  if (words.some(({ kind }) => kind === 'command')) {
    const outside = `__warren_is ${quoted(path)}; and not __warren_inner >/dev/null`;
    return [
      ...options.map((option) => flag(option, outside)),
      `complete -c warren -n '${outside}' -a '(__fish_complete_command)'`,
      `complete -c warren -n '__warren_is ${quoted(path)}; and __warren_inner >/dev/null' -a '(__warren_complete_inner)'`,
    ];
  }
  const condition = `__warren_is ${quoted(path)}`;
  return [
    ...options.map((option) => flag(option, condition)),
    ...words.map((value) => `complete -c warren -n '${condition}'${offered(value)}`),
    ...commands.map(({ name, summary }) => `complete -c warren -n '${condition}' -a ${name} -d ${quote(summary)}`),
  ];
}

/** Within a condition, which stands in single quotes. */
function quoted(path: string): string {
  return path.includes(' ') ? `"${path}"` : path;
}

function flag({ short, long, description, value }: CompletionOption, condition: string): string {
  const names = `${short === undefined ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
  return `complete -c warren -n '${condition}'${names}${value === undefined ? '' : ` -r${offered(value)}`} -d ${quote(description)}`;
}

function offered(value: CompletionValue): string {
  switch (value.kind) {
    case 'words':
      return ` -f -a '${value.words.join(' ')}'`;
    case 'directory':
      return ` -f -a '(__fish_complete_directories)'`;
    case 'file':
      return ' -F';
    case 'run':
      return ` -f -a '(command warren runs --ids 2>/dev/null)'`;
    case 'method':
      return ` -f -a '(command warren kernel methods --names 2>/dev/null)'`;
    case 'capability':
      return ` -f -a '(command warren capability list --names 2>/dev/null)'`;
    case 'skill':
      return ` -f -a '(command warren skill list --names 2>/dev/null)'`;
    case 'workspace':
      return ` -f -a '(command warren workspace list --names 2>/dev/null)'`;
    case 'argument':
      return ` -f -a '(__warren_arguments)'`;
    case 'command':
      return ` -a '(__fish_complete_command)'`;
    case 'text':
      return ' -f';
    default:
      return value satisfies never;
  }
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
