"""Import of chat histories: the export formats of other chat programs, one file a format.

A file becomes items (`source`, `items`), an item becomes a conversation by its format (`chatgpt`, `claude`, …, all in
`formats`), and conversations reach the store in batches (`importing`). Everything that is changed or left out on the
way is counted in `notes`, which the report prints. A file is never in memory as a whole; one conversation is.
"""
