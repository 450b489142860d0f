/** What a skill finds in its environment: its secrets, where it is, and nothing of ours. */

/** Variables that make a program another one, or send elsewhere what it sends. */
const REFUSED: readonly RegExp[] = [
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|IFS|ENV|PWD|OLDPWD|TMPDIR|TERM|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|CDPATH)$/,
  /^BASH_FUNC_/,
  /^(?:LD|DYLD)_/,
  /^(?:GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|HOSTALIASES|RESOLV_HOST_CONF)$/,
  /^NODE_(?:OPTIONS|PATH|REPL_EXTERNAL_MODULE|EXTRA_CA_CERTS|TLS_REJECT_UNAUTHORIZED|USE_ENV_PROXY)$/,
  /^PERL(?:5OPT|5DB|5LIB|LIB)$/,
  /^PYTHON/,
  /^(?:RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS)$/,
  /^GIT_(?:CONFIG.*|EXTERNAL_DIFF|SSH|SSH_COMMAND|PAGER|EDITOR|SEQUENCE_EDITOR|ASKPASS|EXEC_PATH|TEMPLATE_DIR|PROXY_COMMAND)$/,
  /^SSL_CERT_(?:FILE|DIR)$|^(?:CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/,
  /_PROXY$/i,
  /^WARREN_/,
];

export function isSkillVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && !REFUSED.some((pattern) => pattern.test(name));
}
