/** What the commands about agents, and about what they may do and did, do. Each loads only what it needs. */
import type { Host } from './internal/host.ts';
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
  return {
    agentCreate: async (name, flags) => {
      const { agentCreate } = await import('./commands/agent-record.ts');
      end(await agentCreate(name, flags, host));
    },
    agentShow: async (name, flags) => {
      const { agentShow } = await import('./commands/agent-record.ts');
      end(await agentShow(name, flags, host));
    },
    agentUpdate: async (name, flags) => {
      const { agentUpdate } = await import('./commands/agent-record.ts');
      end(await agentUpdate(name, flags, host));
    },
    agentRotateToken: async (name, flags) => {
      const { agentRotateToken } = await import('./commands/agent-record.ts');
      end(await agentRotateToken(name, flags, host));
    },
    agentRevoke: async (name, flags) => {
      const { agentRevoke } = await import('./commands/agent-record.ts');
      end(await agentRevoke(name, flags, host));
    },
    agentRestore: async (name, flags) => {
      const { agentRestore } = await import('./commands/agent-record.ts');
      end(await agentRestore(name, flags, host));
    },
    agentDelete: async (name, flags) => {
      const { agentDelete } = await import('./commands/agent-record.ts');
      end(await agentDelete(name, flags, host));
    },
    agentConnect: async (name, flags) => {
      const [{ agentConnect }, { thisProgram }] = await Promise.all([
        import('./commands/agent-connect.ts'),
        import('./parts/this-program.ts'),
      ]);
      end(await agentConnect(name, flags, host, thisProgram()));
    },
    agentStart: async (name, flags) => {
      const { agentStart } = await import('./commands/agent.ts');
      end(await agentStart(name, flags, host));
    },
    agentList: async (flags) => {
      const { agentList } = await import('./commands/agent.ts');
      end(await agentList(flags, host));
    },
    agentStop: async (name, flags) => {
      const { agentStop } = await import('./commands/agent.ts');
      end(await agentStop(name, flags, host));
    },
    agentPause: async (name, flags) => {
      const { agentPause } = await import('./commands/agent.ts');
      end(await agentPause(name, flags, host));
    },
    agentResume: async (name, flags) => {
      const { agentResume } = await import('./commands/agent.ts');
      end(await agentResume(name, flags, host));
    },
    call: async (capability, words, flags) => {
      const { call } = await import('./commands/call.ts');
      end(await call(capability, words, flags, host));
    },
    mcp: async (flags) => {
      const { mcp } = await import('./commands/mcp.ts');
      end(await mcp(flags, host));
    },
    callResult: async (callId, flags) => {
      const { callResult } = await import('./commands/call.ts');
      end(await callResult(callId, flags, host));
    },
    mcpServerList: async (flags) => {
      const { mcpServerList } = await import('./commands/mcp-server.ts');
      end(await mcpServerList(flags, host));
    },
    mcpServerShow: async (name, flags) => {
      const { mcpServerShow } = await import('./commands/mcp-server.ts');
      end(await mcpServerShow(name, flags, host));
    },
    mcpServerReload: async (name, flags) => {
      const { mcpServerReload } = await import('./commands/mcp-server.ts');
      end(await mcpServerReload(name, flags, host));
    },
    mcpServerLogin: async (name, flags) => {
      const { mcpServerLogin } = await import('./commands/mcp-server-login.ts');
      end(await mcpServerLogin(name, flags, host));
    },
    mcpServerApprove: async (name, flags) => {
      const { mcpServerApprove } = await import('./commands/mcp-server.ts');
      end(await mcpServerApprove(name, flags, host));
    },
    mcpServerRemove: async (name, flags) => {
      const { mcpServerRemove } = await import('./commands/mcp-server.ts');
      end(await mcpServerRemove(name, flags, host));
    },
    approvalsList: async (flags) => {
      const { approvalsList } = await import('./commands/approvals-list.ts');
      end(await approvalsList(flags, host));
    },
    approvalsShow: async (id, flags) => {
      const { approvalsShow } = await import('./commands/approvals.ts');
      end(await approvalsShow(id, flags, host));
    },
    approvalsApprove: async (id, flags) => {
      const { approvalsApprove } = await import('./commands/approvals.ts');
      end(await approvalsApprove(id, flags, host));
    },
    approvalsReject: async (id, flags) => {
      const { approvalsReject } = await import('./commands/approvals.ts');
      end(await approvalsReject(id, flags, host));
    },
    approvalsWatch: async (flags) => {
      const { approvalsWatch } = await import('./commands/approvals.ts');
      end(await approvalsWatch(flags, host));
    },
    approvalsRules: async (flags) => {
      const { approvalsRules } = await import('./commands/approvals.ts');
      end(await approvalsRules(flags, host));
    },
    approvalsRevoke: async (id, flags) => {
      const { approvalsRevoke } = await import('./commands/approvals.ts');
      end(await approvalsRevoke(id, flags, host));
    },
    policyShow: async (flags) => {
      const { policyShow } = await import('./commands/policy.ts');
      end(await policyShow(flags, host));
    },
    policyReload: async (flags) => {
      const { policyReload } = await import('./commands/policy.ts');
      end(await policyReload(flags, host));
    },
    policyInit: async (template, flags) => {
      const { policyInit } = await import('./commands/policy.ts');
      end(await policyInit(template, flags, host));
    },
    policyCheck: async (path, flags) => {
      const { policyCheck } = await import('./commands/policy.ts');
      end(await policyCheck(path, flags, host));
    },
    policyExplain: async (capability, words, flags) => {
      const { policyExplain } = await import('./commands/policy.ts');
      end(await policyExplain(capability, words, flags, host));
    },
    policyTest: async (path, flags) => {
      const { policyTest } = await import('./commands/policy.ts');
      end(await policyTest(path, flags, host));
    },
    policySimulate: async (path, flags) => {
      const { policySimulate } = await import('./commands/policy.ts');
      end(await policySimulate(path, flags, host));
    },
    policyDiff: async (before, after, flags) => {
      const { policyDiff } = await import('./commands/policy.ts');
      end(await policyDiff(before, after, flags, host));
    },
    policyImport: async (file, flags) => {
      const { policyImport } = await import('./commands/policy.ts');
      end(await policyImport(file, flags, host));
    },
    auditTail: async (flags) => {
      const { auditTail } = await import('./commands/audit.ts');
      end(await auditTail(flags, host));
    },
    auditSearch: async (flags) => {
      const { auditSearch } = await import('./commands/audit.ts');
      end(await auditSearch(flags, host));
    },
    auditShow: async (seq, flags) => {
      const { auditShow } = await import('./commands/audit.ts');
      end(await auditShow(seq, flags, host));
    },
    auditHead: async (flags) => {
      const { auditHead } = await import('./commands/audit.ts');
      end(await auditHead(flags, host));
    },
    auditVerify: async (flags) => {
      const { auditVerify } = await import('./commands/audit.ts');
      end(await auditVerify(flags, host));
    },
    auditProve: async (seq, flags) => {
      const { auditProve } = await import('./commands/audit.ts');
      end(await auditProve(seq, flags, host));
    },
    auditRestart: async (flags) => {
      const [{ auditRestart }, { userName }] = await Promise.all([
        import('./commands/audit-restart.ts'),
        import('./internal/user-name.ts'),
      ]);
      end(await auditRestart(flags, host, userName()));
    },
    auditExport: async (flags) => {
      const { auditExport } = await import('./commands/audit.ts');
      end(await auditExport(flags, host));
    },
    capabilityList: async (flags) => {
      const { capabilityList } = await import('./commands/capability.ts');
      end(await capabilityList(flags, host));
    },
    capabilityExport: async (flags) => {
      const { capabilityExport } = await import('./commands/capability.ts');
      end(await capabilityExport(flags, host));
    },
    capabilityDescribe: async (name, flags) => {
      const { capabilityDescribe } = await import('./commands/capability.ts');
      end(await capabilityDescribe(name, flags, host));
    },
    capabilityReload: async (flags) => {
      const { capabilityReload } = await import('./commands/capability.ts');
      end(await capabilityReload(flags, host));
    },
    capabilityTest: async (target, flags) => {
      const { capabilityTest } = await import('./commands/capability-pack.ts');
      end(await capabilityTest(target, flags, host));
    },
    capabilityNew: async (name, flags) => {
      const { capabilityNew } = await import('./commands/capability-pack.ts');
      end(await capabilityNew(name, flags, host));
    },
    capabilityInstall: async (source, flags) => {
      const { capabilityInstall } = await import('./commands/capability-pack.ts');
      end(await capabilityInstall(source, flags, host));
    },
    capabilityRemove: async (name, flags) => {
      const { capabilityRemove } = await import('./commands/capability-pack.ts');
      end(await capabilityRemove(name, flags, host));
    },
  };
}
