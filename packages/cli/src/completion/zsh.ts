import { type CompletionCommand, type CompletionModel, type CompletionOption, type CompletionValue, flatten } from './model.ts';

/** Works from a file \`_warren\` in $fpath and from \`source <(warren completion zsh)\`. */
export function zshScript(model: CompletionModel): string {
  const { commands, options } = model;
  const groups = flatten(commands).filter(({ commands: inner }) => inner.length > 0);
  return `#compdef warren
# Completion of warren for zsh. Made by \`warren completion zsh\`; use it as: source <(warren completion zsh)

${completer('_warren', options, commands)}
${groups.map((group) => completer(functionOf(group), group.options, group.commands)).join('\n')}
_warren_runs() {
  local -a ids
  ids=(\${(f)"$(_call_program runs command warren runs --ids 2>/dev/null)"})
  compadd -a ids
}

_warren_skills() {
  local -a names
  names=(\${(f)"$(_call_program skills command warren skill list --names 2>/dev/null)"})
  compadd -a names
}

_warren_workspaces() {
  local -a names
  names=(\${(f)"$(_call_program workspaces command warren workspace list --names 2>/dev/null)"})
  compadd -a names
}

_warren_methods() {
  local -a names
  names=(\${(f)"$(_call_program methods command warren kernel methods --names 2>/dev/null)"})
  compadd -a names
}

# Arguments of the first capability that was typed: the first word with a dot.
_warren_arguments() {
  local -a names
  names=(\${(f)"$(_call_program arguments command warren capability describe \${(q)\${words[(r)[a-z]*.*]}} --names 2>/dev/null)"})
  if compset -P '*='; then
    local key="\${IPREFIX%=}"
    names=(\${\${(M)names:#$key=?*}#*=})
    if (( $#names )); then compadd -a names; else _files; fi
  else
    names=(\${(u)names%%=*})
    compadd -S '=' -a names
  fi
}

_warren_capabilities() {
  local -a names
  names=(\${(f)"$(_call_program capabilities command warren capability list --names 2>/dev/null)"})
  compadd -a names
}

if [[ $funcstack[1] == _warren ]]; then _warren "$@"; else compdef _warren warren; fi
`;
}

/** A function that completes options, then one of these commands, then what belongs to it. */
function completer(name: string, options: CompletionModel['options'], commands: readonly CompletionCommand[]): string {
  return `${name}() {
  local curcontext="$curcontext" state line ret=1
  typeset -A opt_args
  _arguments -C${options.map(argument).join('')} \\
    '1: :->command' \\
    '*:: :->arguments' && ret=0
  case $state in
    command)
      local -a commands
      commands=(${commands.map(({ name: each, summary }) => `\n        ${quote(`${each}:${summary}`)}`).join('')}
      )
      _describe -t commands command commands && ret=0
      ;;
    arguments)
      curcontext="\${curcontext%:*}-$words[1]:"
      case $words[1] in
${commands.map(branch).join('\n')}
      esac
      ;;
  esac
  return ret
}
`;
}

function functionOf({ path }: CompletionCommand): string {
  return `_warren_${path.replaceAll(' ', '_')}_commands`;
}

function branch(command: CompletionCommand): string {
  const { name, options, words } = command;
  const positions = words.map((value, index) => {
    if (value.kind === 'command') return ` \\\n            '(-)1:command:_command_names -e' '*::arguments:_normal'`;
    return ` \\\n            ${quote(`${index === words.length - 1 ? '*' : `${index + 1}`}:${label(value)}:${action(value)}`)}`;
  });
  const own = `_arguments -S${options.map(argument).join('')}${positions.join('')} && ret=0`;
  const inner = `${functionOf(command)} && ret=0`;
  if (command.commands.length === 0) return `        ${name})\n          ${own}\n          ;;`;
  if (words.length === 0) return `        ${name})\n          ${inner}\n          ;;`;
  // It takes words of its own where none of its commands stands, and at the first place either.
  const names = command.commands.map((each) => each.name);
  return `        ${name})
          if (( CURRENT > 2 )) && [[ $words[2] == (${names.join('|')}) ]]; then
            ${inner}
          else
            (( CURRENT == 2 )) && compadd ${names.join(' ')} && ret=0
            ${own}
          fi
          ;;`;
}

function argument({ short, long, description, isRepeatable, value }: CompletionOption): string {
  const text = `[${description.replace(/[\\[\]:]/g, '\\$&')}]`;
  const tail = value === undefined ? '' : `:${label(value)}:${action(value)}`;
  const names = short === undefined ? [long] : [short, long];
  const exclusive = isRepeatable ? '*' : `(${names.join(' ')})`;
  return names
    .map(
      (name) =>
        ` \\\n            ${quote(`${exclusive}${name}${value === undefined ? '' : name.startsWith('--') ? '=' : '+'}${text}${tail}`)}`,
    )
    .join('');
}

function label(value: CompletionValue): string {
  return value.kind === 'words' || value.kind === 'text' ? 'value' : value.kind;
}

function action(value: CompletionValue): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'directory':
      return '_files -/';
    case 'file':
      return '_files';
    case 'run':
      return '_warren_runs';
    case 'method':
      return '_warren_methods';
    case 'capability':
      return '_warren_capabilities';
    case 'skill':
      return '_warren_skills';
    case 'workspace':
      return '_warren_workspaces';
    case 'argument':
      return '_warren_arguments';
    case 'command':
      return '_command_names -e';
    case 'text':
      return ' ';
    default:
      return value satisfies never;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
