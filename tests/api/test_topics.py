"""The topics of live events, which the bridge knows by name so that it can refuse a misspelt one."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r'\b(?:topic=|(?:TOPIC|DELTAS|TODO_EMBEDDINGS) = )"([a-z_.]+)"')


def test_the_bridge_knows_every_topic_of_the_sidecar_and_no_other() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "sidecar").rglob("*.py"))
    named = {topic for source in sources for topic in NAMED.findall(source.replace("_TOPIC", " TOPIC"))}
    bridge = (ROOT / "electron-bridge" / "src" / "shared" / "topics.ts").read_text(encoding="utf-8")

    assert sorted(named) == re.findall(r'^  "([a-z_.]+)",$', bridge, re.MULTILINE)
