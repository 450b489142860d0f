/** What holds where `config.yaml` says nothing. */

/** What people can be told of. */
export const NOTICES = ['approval.requested', 'approval.escalated', 'approval.decided', 'alert.sent', 'call.notified'] as const;
export type NoticeKind = (typeof NOTICES)[number];

export const CONFIG_DEFAULT = {
  notify: { webhooks: [], mail: [] },
  audit: { retention: 90 * 86_400_000, anchor_every: 3_600_000, anchors: [] },
  mcp: { approval_hold: 45_000 },
  egress: { private_networks: [] },
  memory: {},
  models: { default: [], providers: [] },
  vault: {},
  sign_in: { providers: [] },
};
