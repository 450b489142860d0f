/** What the commands about agents, and about what they may do and did, do. Each loads only what it needs. */
import type { Host } from './internal/host.ts';
import { lazyCommands } from './internal/lazy-command.ts';
import type { AgentActions } from './program/agent-commands.ts';
import type { ApprovalActions } from './program/approval-commands.ts';
import type { AuditActions } from './program/audit-commands.ts';
import type { CapabilityActions } from './program/capability-commands.ts';
import type { McpActions } from './program/mcp-commands.ts';
import type { McpServerActions } from './program/mcp-server-commands.ts';
import type { PolicyActions } from './program/policy-commands.ts';

export type GateActions = AgentActions & ApprovalActions & AuditActions & CapabilityActions & McpActions & McpServerActions & PolicyActions;

/** `end` gets the exit code. */
export function gateActions(host: Host, end: (code: number) => void): GateActions {
  const command = lazyCommands(host, end);
  return {
    agentCreate: command(() => import('./commands/agent-record.ts'), 'agentCreate'),
    agentShow: command(() => import('./commands/agent-record.ts'), 'agentShow'),
    agentUpdate: command(() => import('./commands/agent-record.ts'), 'agentUpdate'),
    agentRotateToken: command(() => import('./commands/agent-record.ts'), 'agentRotateToken'),
    agentRevoke: command(() => import('./commands/agent-record.ts'), 'agentRevoke'),
    agentRestore: command(() => import('./commands/agent-record.ts'), 'agentRestore'),
    agentDelete: command(() => import('./commands/agent-record.ts'), 'agentDelete'),
    agentConnect: async (name, flags) => {
      const [{ agentConnect }, { thisProgram }] = await Promise.all([
        import('./commands/agent-connect.ts'),
        import('./parts/this-program.ts'),
      ]);
      end(await agentConnect(name, flags, host, thisProgram()));
    },
    agentStart: command(() => import('./commands/agent.ts'), 'agentStart'),
    agentList: command(() => import('./commands/agent.ts'), 'agentList'),
    agentStop: command(() => import('./commands/agent.ts'), 'agentStop'),
    agentPause: command(() => import('./commands/agent.ts'), 'agentPause'),
    agentResume: command(() => import('./commands/agent.ts'), 'agentResume'),
    call: command(() => import('./commands/call.ts'), 'call'),
    mcp: command(() => import('./commands/mcp.ts'), 'mcp'),
    callResult: command(() => import('./commands/call.ts'), 'callResult'),
    mcpServerList: command(() => import('./commands/mcp-server.ts'), 'mcpServerList'),
    mcpServerShow: command(() => import('./commands/mcp-server.ts'), 'mcpServerShow'),
    mcpServerReload: command(() => import('./commands/mcp-server.ts'), 'mcpServerReload'),
    mcpServerLogin: command(() => import('./commands/mcp-server-login.ts'), 'mcpServerLogin'),
    mcpServerApprove: command(() => import('./commands/mcp-server.ts'), 'mcpServerApprove'),
    mcpServerRemove: command(() => import('./commands/mcp-server.ts'), 'mcpServerRemove'),
    approvalsList: command(() => import('./commands/approvals-list.ts'), 'approvalsList'),
    approvalsShow: command(() => import('./commands/approvals.ts'), 'approvalsShow'),
    approvalsApprove: command(() => import('./commands/approvals.ts'), 'approvalsApprove'),
    approvalsReject: command(() => import('./commands/approvals.ts'), 'approvalsReject'),
    approvalsWatch: command(() => import('./commands/approvals.ts'), 'approvalsWatch'),
    approvalsRules: command(() => import('./commands/approvals.ts'), 'approvalsRules'),
    approvalsRevoke: command(() => import('./commands/approvals.ts'), 'approvalsRevoke'),
    policyShow: command(() => import('./commands/policy.ts'), 'policyShow'),
    policyReload: command(() => import('./commands/policy.ts'), 'policyReload'),
    policyInit: command(() => import('./commands/policy.ts'), 'policyInit'),
    policyCheck: command(() => import('./commands/policy.ts'), 'policyCheck'),
    policyExplain: command(() => import('./commands/policy.ts'), 'policyExplain'),
    policyTest: command(() => import('./commands/policy.ts'), 'policyTest'),
    policySimulate: command(() => import('./commands/policy.ts'), 'policySimulate'),
    policyDiff: command(() => import('./commands/policy.ts'), 'policyDiff'),
    policyImport: command(() => import('./commands/policy.ts'), 'policyImport'),
    auditTail: command(() => import('./commands/audit.ts'), 'auditTail'),
    auditSearch: command(() => import('./commands/audit.ts'), 'auditSearch'),
    auditShow: command(() => import('./commands/audit.ts'), 'auditShow'),
    auditHead: command(() => import('./commands/audit.ts'), 'auditHead'),
    auditVerify: command(() => import('./commands/audit.ts'), 'auditVerify'),
    auditProve: command(() => import('./commands/audit.ts'), 'auditProve'),
    auditRestart: async (flags) => {
      const [{ auditRestart }, { userName }] = await Promise.all([
        import('./commands/audit-restart.ts'),
        import('./internal/user-name.ts'),
      ]);
      end(await auditRestart(flags, host, userName()));
    },
    auditExport: command(() => import('./commands/audit.ts'), 'auditExport'),
    capabilityList: command(() => import('./commands/capability.ts'), 'capabilityList'),
    capabilityExport: command(() => import('./commands/capability.ts'), 'capabilityExport'),
    capabilityDescribe: command(() => import('./commands/capability.ts'), 'capabilityDescribe'),
    capabilityReload: command(() => import('./commands/capability.ts'), 'capabilityReload'),
    capabilityTest: command(() => import('./commands/capability-pack.ts'), 'capabilityTest'),
    capabilityNew: command(() => import('./commands/capability-pack.ts'), 'capabilityNew'),
    capabilityInstall: command(() => import('./commands/capability-pack.ts'), 'capabilityInstall'),
    capabilityRemove: command(() => import('./commands/capability-pack.ts'), 'capabilityRemove'),
  };
}
