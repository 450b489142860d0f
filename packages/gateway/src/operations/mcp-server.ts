import type { Platform } from '@warren/platform';
import type { HandlersOf } from './handler.ts';
import { toMcpServer, toMcpServerSummary } from './record/mcp-server.ts';

export function createMcpServerHandlers(platform: () => Platform): HandlersOf<'mcp_server.'> {
  return {
    async 'mcp_server.list'() {
      return { servers: platform().mcpServers.list().map(toMcpServerSummary) };
    },

    async 'mcp_server.get'({ name }) {
      return toMcpServer(platform().mcpServers.get(name));
    },

    async 'mcp_server.reload'({ name }, { waiting }) {
      return { servers: (await platform().mcpServers.reload(name, waiting())).map(toMcpServer) };
    },

    async 'mcp_server.begin_login'({ name, redirect_uri: redirect }, { waiting }) {
      return await platform().mcpServers.beginLogin(name, redirect, waiting());
    },

    async 'mcp_server.finish_login'({ name, state, code, issuer }, { waiting }) {
      await platform().mcpServers.finishLogin(name, { state, code, iss: issuer }, waiting());
      return { logged_in: true };
    },

    async 'mcp_server.approve'({ name, hash, read = [] }) {
      return toMcpServer(await platform().mcpServers.approve(name, hash, read));
    },

    async 'mcp_server.remove'({ name }) {
      return { removed: await platform().mcpServers.revoke(name) };
    },
  };
}
