/** The process that acts for an agent: the newest that lives. Who may act as the agent begins one where there is none; nobody is asked to start it first. */
import type { Client } from '@warren/client';
import { isFault } from '@warren/protocol';

export async function processOfAgent(client: Client, agent: string): Promise<number> {
  try {
    return (await client.call('agent.find', { agent })).pid;
  } catch (error) {
    if (!isFault(error, 'not_found')) throw error;
    return await openProcess(client, agent, error);
  }
}

/** Who only looks is told that it is idle, not that they may not wake it. */
async function openProcess(client: Client, agent: string, notFound: unknown): Promise<number> {
  try {
    return (await client.call('agent.open', { agent })).pid;
  } catch (error) {
    throw isFault(error, 'permission_denied') ? notFound : error;
  }
}
