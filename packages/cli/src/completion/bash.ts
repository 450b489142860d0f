import { type CompletionModel, type CompletionValue, flatten } from './model.ts';

/** Needs bash 4.1 and nothing else; with the package bash-completion, `run` also completes the arguments of its command. */
export function bashScript(model: CompletionModel): string {
  const { options } = model;
  const commands = flatten(model.commands);
  const valued = commands.flatMap(({ path, options: own }) =>
    own.flatMap(({ short, long, value }) =>
      value === undefined
        ? []
        : [`    ${[short, long].flatMap((flag) => (flag === undefined ? [] : [`'${path} ${flag}'`])).join('|')}) ${complete(value)} ;;`],
    ),
  );
  const flags = commands.map(({ path, options: own }) => `    '${path}') echo '${flagsOf(own)}' ;;`);
  const words = commands.flatMap(({ path, words: own }) =>
    own.map((value, index) => `    '${path} '${index === own.length - 1 ? '*' : index}) ${complete(value)} ;;`),
  );
  const groups = commands
    .filter(({ commands: inner }) => inner.length > 0)
    .map(({ path, commands: inner }) => `    '${path}') echo '${inner.map(({ name }) => name).join(' ')}' ;;`);
  return `# Completion of warren for bash. Made by \`warren completion bash\`; use it as: source <(warren completion bash)

_warren() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' option='' word='' index=0 position=0 start=0 plain=''
  COMPREPLY=()
  # Bash breaks words at "=", so that --profile=x is three of them: to us it is the same as --profile x.
  [[ $current == '=' ]] && current=''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ -n $option && $word == '=' && \${COMP_WORDS[index - 1]} == "$option" ]]; then continue; fi
    if [[ -n $option ]]; then option=''
    elif [[ -z $plain && $word == '--' ]]; then plain=1
    elif [[ -z $plain && $word == -* ]]; then _warren_value "$command" "$word" && option=$word
    elif [[ -z $command ]]; then command=$word
    elif [[ $position == 0 && " $(_warren_commands "$command") " == *" $word "* ]]; then command+=" $word"
    else
      ((position++ == 0)) && start=$index
      [[ $command == run ]] && break
    fi
  done
  COMPREPLY=()
  if [[ -n $option ]]; then _warren_value "$command" "$option"
  elif [[ -z $command && $current == -* ]]; then _warren_words '${flagsOf(options)}'
  elif [[ -z $command ]]; then _warren_words '${model.commands.map(({ name }) => name).join(' ')}'
  elif [[ $command == run && $start -gt 0 ]]; then _warren_command "$start"
  elif [[ -z $plain && $current == -* ]]; then _warren_words "$(_warren_flags "$command")"
  else
    _warren_position "$command" "$position"
    ((position == 0)) && mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(_warren_commands "$command")" -- "$current")
  fi
}

# The commands a command has of its own.
_warren_commands() {
  case $1 in
${groups.join('\n')}
  esac
}

_warren_flags() {
  case $1 in
${flags.join('\n')}
  esac
}

# Completes the value of an option; fails when it takes none.
_warren_value() {
  case "$1 $2" in
${valued.join('\n')}
    *) return 1 ;;
  esac
}

_warren_position() {
  case $1' '$2 in
${words.join('\n')}
  esac
}

_warren_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_warren_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_warren_runs() {
  _warren_words "$(command warren runs --ids 2>/dev/null)"
}

_warren_methods() {
  _warren_words "$(command warren kernel methods --names 2>/dev/null)"
}

_warren_capabilities() {
  _warren_words "$(command warren capability list --names 2>/dev/null)"
}

_warren_skills() {
  _warren_words "$(command warren skill list --names 2>/dev/null)"
}

_warren_workspaces() {
  _warren_words "$(command warren workspace list --names 2>/dev/null)"
}

# An argument of the capability that stands at this place.
_warren_arguments() {
  local key='' line='' found=''
  # Bash breaks words at "=".
  if [[ \${COMP_WORDS[COMP_CWORD]} == '=' ]]; then key=\${COMP_WORDS[COMP_CWORD - 1]}
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then key=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  while IFS= read -r line; do
    if [[ -z $key ]]; then [[ " $found " == *" \${line%%=*}= "* ]] || found+=" \${line%%=*}="
    elif [[ $line == "$key="?* ]]; then found+=" \${line#*=}"
    fi
  done < <(command warren capability describe "\${COMP_WORDS[$1]}" --names 2>/dev/null)
  if [[ -z $key ]]; then compopt -o nospace 2>/dev/null; fi
  if [[ -z $key || -n $found ]]; then _warren_words "$found"; else _warren_paths -f; fi
}

_warren_command() {
  if declare -F _comp_command_offset >/dev/null; then _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then _command_offset "$1"
  else _warren_paths -f
  fi
}

complete -F _warren warren
`;
}

function flagsOf(options: CompletionModel['options']): string {
  return options.flatMap(({ short, long }) => (short === undefined ? [long] : [short, long])).join(' ');
}

/** Ends well, for that is how the caller tells an option with a value from one without. */
function complete(value: CompletionValue): string {
  switch (value.kind) {
    case 'words':
      return `_warren_words '${value.words.join(' ')}'`;
    case 'directory':
      return '_warren_paths -d';
    case 'file':
      return '_warren_paths -f';
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
      return '_warren_arguments "$start"';
    case 'command':
      return '_warren_paths -c';
    case 'text':
      return ':';
    default:
      return value satisfies never;
  }
}
