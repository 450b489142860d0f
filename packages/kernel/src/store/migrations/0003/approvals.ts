/** How many questions of one agent wait, over all its processes. */
export const PENDING_OF_AGENTS = `
CREATE INDEX approvals_pending_by_agent ON approvals (ws, agent, id) WHERE state = 'pending';
`;
