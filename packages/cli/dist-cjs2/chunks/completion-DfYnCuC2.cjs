// src/completion/bash.ts
/** Needs bash 4.1 and nothing else; with the package bash-completion, `run` also completes the arguments of its command. */
function bashScript(model) {
	const { commands, options } = model;
	const valued = commands.flatMap(({ name, options: own }) => own.flatMap(({ short, long, value }) => value === void 0 ? [] : [`    ${[short, long].flatMap((flag) => flag === void 0 ? [] : [`'${name} ${flag}'`]).join("|")}) ${complete(value)} ;;`]));
	const flags = commands.map(({ name, options: own }) => `    ${name}) echo '${flagsOf(own)}' ;;`);
	const words = commands.flatMap(({ name, words: own }) => own.map((value, index) => `    ${name}' '${index === own.length - 1 ? "*" : index}) ${complete(value)} ;;`));
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
    else
      ((position++ == 0)) && start=$index
      [[ $command == run ]] && break
    fi
  done
  COMPREPLY=()
  if [[ -n $option ]]; then _warren_value "$command" "$option"
  elif [[ -z $command && $current == -* ]]; then _warren_words '${flagsOf(options)}'
  elif [[ -z $command ]]; then _warren_words '${commands.map(({ name }) => name).join(" ")}'
  elif [[ $command == run && $start -gt 0 ]]; then _warren_command "$start"
  elif [[ -z $plain && $current == -* ]]; then _warren_words "$(_warren_flags "$command")"
  else _warren_position "$command" "$position"
  fi
}

_warren_flags() {
  case $1 in
${flags.join("\n")}
  esac
}

# Completes the value of an option; fails when it takes none.
_warren_value() {
  case "$1 $2" in
${valued.join("\n")}
    *) return 1 ;;
  esac
}

_warren_position() {
  case $1' '$2 in
${words.join("\n")}
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

_warren_command() {
  if declare -F _comp_command_offset >/dev/null; then _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then _command_offset "$1"
  else _warren_paths -f
  fi
}

complete -F _warren warren
`;
}
function flagsOf(options) {
	return options.flatMap(({ short, long }) => short === void 0 ? [long] : [short, long]).join(" ");
}
/** Ends well, for that is how the caller tells an option with a value from one without. */
function complete(value) {
	switch (value.kind) {
		case "words": return `_warren_words '${value.words.join(" ")}'`;
		case "directory": return "_warren_paths -d";
		case "file": return "_warren_paths -f";
		case "run": return "_warren_runs";
		case "command": return "_warren_paths -c";
		case "text": return ":";
		default: return value;
	}
}

// src/completion/fish.ts
/** Needs fish 3. */
function fishScript(model) {
	const { commands, options } = model;
	return `# Completion of warren for fish. Made by \`warren completion fish\`; use it as: warren completion fish | source

# The command of warren that was typed, or nothing.
function __warren_typed
    for token in (commandline -opc)[2..-1]
        string match -q -- '-*' $token; or begin
            echo $token
            return
        end
    end
end

function __warren_is
    test "$(__warren_typed)" = $argv[1]
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
        else if contains -- $tokens[$index] ${(commands.find(({ words }) => words.some(({ kind }) => kind === "command"))?.options ?? []).filter(({ value }) => value !== void 0).flatMap(({ short, long }) => short === void 0 ? [long] : [short, long]).join(" ")}
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
${options.map((option) => flag(option, "test -z \"$(__warren_typed)\"")).join("\n")}
${commands.map(({ name, summary }) => `complete -c warren -n 'test -z "$(__warren_typed)"' -a ${name} -d ${quote$1(summary)}`).join("\n")}
${commands.flatMap(branch$1).join("\n")}
`;
}
function branch$1({ name, options, words }) {
	if (words.some(({ kind }) => kind === "command")) {
		const outside = `__warren_is ${name}; and not __warren_inner >/dev/null`;
		return [
			...options.map((option) => flag(option, outside)),
			`complete -c warren -n '${outside}' -a '(__fish_complete_command)'`,
			`complete -c warren -n '__warren_is ${name}; and __warren_inner >/dev/null' -a '(__warren_complete_inner)'`
		];
	}
	const condition = `__warren_is ${name}`;
	return [...options.map((option) => flag(option, condition)), ...words.map((value) => `complete -c warren -n '${condition}'${offered(value)}`)];
}
function flag({ short, long, description, value }, condition) {
	return `complete -c warren -n '${condition}'${`${short === void 0 ? "" : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`}${value === void 0 ? "" : ` -r${offered(value)}`} -d ${quote$1(description)}`;
}
function offered(value) {
	switch (value.kind) {
		case "words": return ` -f -a '${value.words.join(" ")}'`;
		case "directory": return ` -f -a '(__fish_complete_directories)'`;
		case "file": return " -F";
		case "run": return ` -f -a '(command warren runs --ids 2>/dev/null)'`;
		case "command": return ` -a '(__fish_complete_command)'`;
		case "text": return " -f";
		default: return value;
	}
}
function quote$1(text) {
	return `'${text.replace(/['\\]/g, "\\$&")}'`;
}

// src/completion/model.ts
function readModel(program) {
	const help = program.createHelp();
	const commands = program.commands.map((command) => ({
		name: command.name(),
		summary: command.summary(),
		options: help.visibleOptions(command).map(readOption),
		words: command.registeredArguments.map(readArgument)
	}));
	const names = commands.map(({ name }) => name);
	return {
		options: help.visibleOptions(program).map(readOption),
		commands: [...commands, {
			name: "help",
			summary: "show help for a command",
			options: [],
			words: [{
				kind: "words",
				words: names
			}]
		}]
	};
}
function readOption(option) {
	return {
		short: option.short,
		long: option.long ?? "",
		description: option.description,
		isRepeatable: option.parseArg !== void 0 && option.description.includes("repeatable"),
		value: option.required ? readValue(option) : void 0
	};
}
function readValue(option) {
	if (option.argChoices !== void 0) return {
		kind: "words",
		words: option.argChoices
	};
	if (option.flags.includes("<directory>") || option.flags.includes("<source:")) return { kind: "directory" };
	return { kind: "text" };
}
function readArgument(argument) {
	if (argument.argChoices !== void 0) return {
		kind: "words",
		words: argument.argChoices
	};
	switch (argument.name()) {
		case "run": return { kind: "run" };
		case "paths": return { kind: "file" };
		case "command": return { kind: "command" };
		default: return { kind: "text" };
	}
}

// src/completion/zsh.ts
/** Works from a file \`_warren\` in $fpath and from \`source <(warren completion zsh)\`. */
function zshScript(model) {
	const { commands, options } = model;
	return `#compdef warren
# Completion of warren for zsh. Made by \`warren completion zsh\`; use it as: source <(warren completion zsh)

_warren() {
  local curcontext="$curcontext" state line ret=1
  typeset -A opt_args
  _arguments -C${options.map(argument).join("")} \\
    '1: :->command' \\
    '*:: :->arguments' && ret=0
  case $state in
    command)
      local -a commands
      commands=(${commands.map(({ name, summary }) => `\n        ${quote(`${name}:${summary}`)}`).join("")}
      )
      _describe -t commands command commands && ret=0
      ;;
    arguments)
      curcontext="\${curcontext%:*}-$words[1]:"
      case $words[1] in
${commands.map(branch).join("\n")}
      esac
      ;;
  esac
  return ret
}

_warren_runs() {
  local -a ids
  ids=(\${(f)"$(_call_program runs command warren runs --ids 2>/dev/null)"})
  compadd -a ids
}

if [[ $funcstack[1] == _warren ]]; then _warren "$@"; else compdef _warren warren; fi
`;
}
function branch({ name, options, words }) {
	const positions = words.map((value, index) => {
		if (value.kind === "command") return ` \\\n            '(-)1:command:_command_names -e' '*::arguments:_normal'`;
		return ` \\\n            ${quote(`${index === words.length - 1 ? "*" : `${index + 1}`}:${label(value)}:${action(value)}`)}`;
	});
	return `        ${name})\n          _arguments -S${options.map(argument).join("")}${positions.join("")} && ret=0\n          ;;`;
}
function argument({ short, long, description, isRepeatable, value }) {
	const text = `[${description.replace(/[\\[\]:]/g, "\\$&")}]`;
	const tail = value === void 0 ? "" : `:${label(value)}:${action(value)}`;
	const names = short === void 0 ? [long] : [short, long];
	const exclusive = isRepeatable ? "*" : `(${names.join(" ")})`;
	return names.map((name) => ` \\\n            ${quote(`${exclusive}${name}${value === void 0 ? "" : name.startsWith("--") ? "=" : "+"}${text}${tail}`)}`).join("");
}
function label(value) {
	return value.kind === "words" || value.kind === "text" ? "value" : value.kind;
}
function action(value) {
	switch (value.kind) {
		case "words": return `(${value.words.join(" ")})`;
		case "directory": return "_files -/";
		case "file": return "_files";
		case "run": return "_warren_runs";
		case "command": return "_command_names -e";
		case "text": return " ";
		default: return value;
	}
}
function quote(text) {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

// src/commands/completion.ts
const SCRIPTS = {
	bash: bashScript,
	zsh: zshScript,
	fish: fishScript
};
async function completion(shell, program, host) {
	await host.stdout.write(SCRIPTS[shell](readModel(program)));
	return 0;
}

exports.completion = completion;