"""Conversations as documents of Markdown, HTML and JSON, with thinking and branches. One is in memory at a time."""
