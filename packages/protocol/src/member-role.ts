/** What a member may do in its workspace, each including those before it: look; decide about approvals; everything. */
export const MEMBER_ROLES = ['viewer', 'approver', 'admin'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

export function hasRole(role: MemberRole, least: MemberRole): boolean {
  return MEMBER_ROLES.indexOf(role) >= MEMBER_ROLES.indexOf(least);
}
