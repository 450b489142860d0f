/** Variables an agent may set for a command. */
import { CapabilityError } from '../../capability/handler.ts';

/**
 * Variables that make a program run other code than its own. Walls hold whatever runs, so this is no wall: it keeps what a policy says of `command` true,
 * since with `LD_PRELOAD` any allowed program is any program. It is not complete and need not be: what takes programs as arguments (`sh`, `env`) is named in
 * `command`, where a policy sees it.
 */
const PROTECTED: readonly RegExp[] = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|CDPATH)$/,
  /^BASH_FUNC_/,
  /^LD_|^DYLD_/,
  /^(GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|HOSTALIASES|RESOLV_HOST_CONF)$/,
  /^(NODE_OPTIONS|NODE_REPL_EXTERNAL_MODULE)$/,
  /^(PERL5OPT|PERL5DB|PERL5LIB|PERLLIB)$/,
  /^(PYTHONSTARTUP|PYTHONHOME|PYTHONINSPECT|PYTHONBREAKPOINT)$/,
  /^(RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS)$/,
  /^GIT_(CONFIG.*|EXTERNAL_DIFF|SSH|SSH_COMMAND|PAGER|EDITOR|SEQUENCE_EDITOR|ASKPASS|EXEC_PATH|TEMPLATE_DIR|PROXY_COMMAND)$/,
  /^WARREN_/,
];

/** Throws `InvalidInput`, naming the variable and never its value. */
export function checkEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) throw refuse(name, 'names are letters, digits and underscores');
    if (PROTECTED.some((pattern) => pattern.test(name))) throw refuse(name, 'it is protected, because it changes what a program is');
    if (value.includes('\0')) throw refuse(name, 'its value holds a NUL');
  }
  return { ...environment };
}

function refuse(name: string, why: string): CapabilityError {
  const shown = name.slice(0, 64);
  return new CapabilityError('InvalidInput', `Cannot set the variable ${JSON.stringify(shown)}: ${why}`, {
    context: { field: `environment.${shown}` },
  });
}
