/** `warren service install`: a unit for systemd. Printed and not installed: what a machine runs as root is for its owner to put in place. */
import { resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Host } from '../internal/host.ts';
import { statePath } from '../internal/state-path.ts';
import type { ServiceFlags } from '../program/daemon-commands.ts';

export type ServiceParts = {
  /** The program and the words before ours, as this process was started. */
  readonly program: readonly string[];
  readonly uid: number;
};

const UNIT_PATH = '/etc/systemd/system/warren.service';
/** Where systemd itself makes and owns the directory. */
const SYSTEM_STATE = '/var/lib/warren';

export async function serviceInstall(flags: ServiceFlags, host: Host, parts: ServiceParts): Promise<number> {
  if (flags.print !== true) {
    const reload = 'systemctl daemon-reload && systemctl enable --now warren';
    throw new Fault('unsupported', 'Cannot install a service: this only prints one, for you to read and put in place', {
      details: { fix: `warren service install --print > ${UNIT_PATH} && ${reload}` },
    });
  }
  await host.stdout.write(systemdUnit(statePath(host, flags.state), parts));
  return 0;
}

/** For the system when root prints it, else for `systemctl --user`. */
export function systemdUnit(stateDirectory: string, { program, uid }: ServiceParts): string {
  const command = [...program.map((word) => (word.startsWith('-') ? word : resolve(word))), 'serve', '--state', stateDirectory];
  const isSystem = uid === 0;
  const state =
    stateDirectory === SYSTEM_STATE
      ? ['StateDirectory=warren', 'StateDirectoryMode=0700']
      : [`ReadWritePaths=${quote(stateDirectory.replaceAll('%', '%%'))}`];
  return `# Put this in ${isSystem ? UNIT_PATH : '~/.config/systemd/user/warren.service'}, then:
#   systemctl ${isSystem ? '' : '--user '}daemon-reload && systemctl ${isSystem ? '' : '--user '}enable --now warren

[Unit]
Description=Warren, an operating system for AI agents
After=network.target
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${command.map(quoteWord).join(' ')}
# Reads certificate, configuration, policies and packs again.
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
# Wrong usage, and a store that cannot be opened, are not better the second time.
RestartPreventExitStatus=2 3
# First it is asked to end, which it does when it has put everything away; whatever is left afterwards ends with it.
KillMode=mixed
TimeoutStopSec=90
${(isSystem ? state : []).join('\n')}
UMask=0077
LimitNOFILE=65536
# Sandboxes get groups of their own for memory, processor and processes.
Delegate=yes

${isSystem ? SYSTEM_WALLS : ''}
[Install]
WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}
`.replace(/\n{3,}/g, '\n\n');
}

/** Any of these takes setuid programs away from a service of a user, and those give its sandboxes their ids. */
const SYSTEM_WALLS = `# What the daemon itself may not do. The walls of sandboxes need namespaces, mounts, host names and a view of /proc: those stay open.
LockPersonality=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_VSOCK
KeyringMode=private
NoNewPrivileges=yes
ProtectSystem=full
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
CapabilityBoundingSet=~CAP_SYS_MODULE CAP_SYS_BOOT CAP_SYS_TIME CAP_SYS_RAWIO CAP_SYSLOG CAP_WAKE_ALARM CAP_SYS_TTY_CONFIG CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_AUDIT_CONTROL
SystemCallArchitectures=native
SystemCallFilter=~@module @reboot @swap @raw-io @clock
SystemCallErrorNumber=EPERM
`;

/** A word of a command, in which systemd replaces `%x` and `$x` (systemd.service(5)). */
function quoteWord(word: string): string {
  return quote(word.replaceAll('%', '%%').replaceAll('$', '$$$$'));
}

/** As systemd.syntax(7) splits words. */
function quote(word: string): string {
  if (/^[\w@%+=:,./$-]+$/.test(word)) return word;
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
