"""Export and import: what people made as one `.zip` of JSON Lines, and back. Backups have the rest, too.

    manifest.json            format, versions, and for each file its lines, bytes and SHA-256
    vaults.jsonl …           one JSON object for each row; `sidecar.models.transfer` lists the kinds and their fields
    markdown/…/Title.md      on request: the vaults as a tree that people and other programs can read; not imported

Nothing here holds more than one row in memory, except for the names of Markdown files, which a `.zip` lists at its end.

Chat histories of other programs come in by `histories`, and conversations go out as documents by `transcripts`.
"""
