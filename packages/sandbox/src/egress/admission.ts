/** Which hosts and ports the rules let through, before any name is looked up. */
import { coversHosts, coversNames, type HostPattern, readHostPattern } from '@warren/protocol';
import { EgressRefusal, type EgressRules } from './egress.ts';
import { REFUSED_PORTS } from './refused-ports.ts';

/** Names of this machine and of what gives it credentials, wherever DNS says they are. */
const REFUSED_NAMES = [
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data.ec2.internal',
];

/** For a request. Throws `EgressRefusal` with `host_not_allowed`. */
export function admitRequest(rules: EgressRules, host: string, port: number): void {
  admit(rules, host, port);
  const isNamed = patternsOf(rules).some((pattern) => pattern.port === port && coversNames(pattern, named(host, port)));
  if (REFUSED_PORTS.has(port) && !isNamed) throw refuse(host, `port ${port} is no port for HTTP and no grant names it`);
}

/** For a connection, or with no port for a look-up. */
export function admit(rules: EgressRules, host: string, port?: number): void {
  if (REFUSED_NAMES.some((name) => host === name || host.endsWith(`.${name}`)))
    throw refuse(host, 'it is a name of this machine or of what gives it credentials');
  const target = named(host, port);
  const isCovered = patternsOf(rules).some((pattern) => (port === undefined ? coversNames(pattern, target) : coversHosts(pattern, target)));
  if (!isCovered) throw refuse(host, `${port === undefined ? 'it' : `${host}:${port}`} is not among the hosts this agent may reach`);
}

function named(host: string, port: number | undefined): HostPattern {
  return { scope: 'host', host, port };
}

function patternsOf(rules: EgressRules): readonly HostPattern[] {
  return rules.hosts.map(readHostPattern);
}

function refuse(host: string, why: string): EgressRefusal {
  return new EgressRefusal('host_not_allowed', host, `Cannot reach ${host}: ${why}`);
}
