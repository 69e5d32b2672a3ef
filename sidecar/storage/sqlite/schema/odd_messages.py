"""SQL for the messages and steps of thinking that a reader must look at closely; two indexes are made of it.

A change of it needs a migration that makes the indexes again.
"""

_TIME = f"GLOB '{'-'.join(('[0-9]' * 4, '[0-9]' * 2, '[0-9]' * 2))}T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'"
_OBJECT = """(metadata IS NULL OR (
    metadata >= '{' AND metadata < '|' AND NOT metadata GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
    AND NOT metadata GLOB '*\\u[dD][89abAB]*'
))"""
"""SQL for JSON that, if it is any, is an object without infinite numbers or halves of characters."""

_DETAILS = """(coalesce(parts, prompt_tokens, completion_tokens, cost) IS NULL OR (
    (parts IS NULL OR (
        parts >= '[' AND parts < '\\' AND NOT parts GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
        AND NOT parts GLOB '*\\u[dD][89abAB]*'
    ))
    AND (prompt_tokens IS NULL OR (typeof(prompt_tokens) = 'integer' AND prompt_tokens BETWEEN 0 AND 1000000000000))
    AND (completion_tokens IS NULL
        OR (typeof(completion_tokens) = 'integer' AND completion_tokens BETWEEN 0 AND 1000000000000))
    AND (cost IS NULL OR (typeof(cost) = 'real' AND cost BETWEEN 0 AND 1000000000000))
))"""
"""SQL for parts, tokens and cost, which most messages lack."""

ODD_MESSAGE = f"""NOT coalesce(
    {_OBJECT} AND typeof(conversation_id) = 'integer' AND role IN (
        'user', 'assistant', 'system', 'tool', 'developer', 'function'
    )
    AND status IN ('pending', 'streaming', 'completed', 'failed', 'cancelled')
    AND created_at {_TIME} AND updated_at {_TIME} AND (completed_at IS NULL OR completed_at {_TIME})
    AND typeof(token_count) = 'integer' AND token_count >= 0 AND typeof(latency_ms) IN ('integer', 'null')
    AND (parent_message_id IS NULL OR CAST(CAST(parent_message_id AS INTEGER) AS TEXT) = parent_message_id)
    AND {_DETAILS}, 0)"""
ODD_STEP = f"""NOT coalesce({_OBJECT} AND created_at {_TIME} AND progress BETWEEN 0 AND 1
    AND typeof(sequence) = 'integer' AND sequence >= 0, 0)"""
"""SQL for messages and their steps that may hold a value that a reader has to look at closely."""
