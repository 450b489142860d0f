/** The fields of a grant as faults and events name them. */
export type GrantField = 'tool_grants' | 'fs_grants' | 'net_grants' | 'model_grants' | 'sub_agent';
