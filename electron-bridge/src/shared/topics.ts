// The topics that the sidecar's live events have: a name that is none of them would be waited for in silence.

export const topics: readonly string[] = [
  "activities",
  "adoption",
  "contexts",
  "conversations",
  "health",
  "imports",
  "messages",
  "messages.delta",
  "monitoring.data_stats",
  "monitoring.stage_timing",
  "monitoring.token_usage",
  "recovery",
  "search_index",
  "states",
  "thinking",
  "tips",
  "todo_embeddings",
  "todos",
  "upkeep",
  "vaults",
];
