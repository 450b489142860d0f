/** Opens what callers of this daemon see. */
import type { Kernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault } from '@warren/protocol';
import { CALLS_THAT_WAIT, type Places } from '../../caller/places.ts';
import type { AskedSeat, Seats } from '../../caller/seats.ts';
import { viaOf } from '../../caller/via-of.ts';
import type { Identity } from '../../http/authenticate.ts';
import type { OpenMcpHost } from '../mcp-server.ts';
import { OfferChanges } from './offer-changes.ts';
import { WarrenHost } from './warren-host.ts';

export type WarrenHostsParts = {
  readonly kernel: Kernel;
  readonly platform: Platform | undefined;
  readonly version: string;
  readonly holdMs: () => number;
  /** Undefined where there is no platform. */
  readonly seats: Seats | undefined;
  /** Of calls that wait, of all protocols together. */
  readonly waits: Places;
  readonly stopping: AbortSignal;
};

export function createWarrenHosts({ kernel, platform, version, seats, holdMs, waits, stopping }: WarrenHostsParts): {
  readonly open: OpenMcpHost;
  readonly close: () => void;
} {
  if (platform === undefined || seats === undefined) {
    const open = (): never => {
      throw new Fault('unsupported', 'Cannot act for agents: no daemon runs', { details: { fix: 'warren serve --detach' } });
    };
    return { open: async () => open(), close: () => {} };
  }
  const changes = new OfferChanges(kernel, platform);
  const parts = { kernel, platform, version, changes, holdMs, stopping };
  return {
    open: async (identity, asked) => {
      const findSeat = () => seats.find(identity, asked);
      return new WarrenHost(parts, {
        ...{ seat: await findSeat(), findSeat, agent: agentOf(identity, asked), via: viaOf(identity) },
        takePlace: () => waits.take(identity.principal, CALLS_THAT_WAIT),
      });
    },
    close: () => changes[Symbol.dispose](),
  };
}

function agentOf({ principal }: Identity, { agent }: AskedSeat): string | undefined {
  if (principal.kind === 'process') return undefined;
  return principal.kind === 'agent' ? principal.agent : agent;
}
