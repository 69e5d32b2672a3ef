"""A published page links only to what its reader has."""

import staging
import versions
from toolbox import ROOT

REPOSITORY = "https://example.org/owner/name"


def published(text: str, repository: str | None = None, *kept: str) -> str:
    return staging.published_page(text, ROOT, repository, kept)


def test_a_link_to_a_file_of_the_package_stays() -> None:
    assert published("[changes](CHANGELOG.md)", None, "CHANGELOG.md") == "[changes](CHANGELOG.md)"


def test_a_link_to_another_file_is_text_while_the_repository_is_unknown() -> None:
    assert published("See [`config.py`](sidecar/config.py).") == "See `config.py`."


def test_a_link_to_another_file_leads_to_its_version_in_the_repository() -> None:
    version = f"v{versions.current()}"
    assert published("[a](SECURITY.md#threats)", REPOSITORY) == f"[a]({REPOSITORY}/blob/{version}/SECURITY.md#threats)"
    assert published("[b](electron-bridge/example)", REPOSITORY) == (
        f"[b]({REPOSITORY}/tree/{version}/electron-bridge/example)"
    )


def test_other_links_and_code_are_left_alone() -> None:
    text = "[a](https://example.org) [b](#install)\n```js\nlist[0](CHANGELOG.md);\n[x](SECURITY.md)\n```\n"
    assert published(text, REPOSITORY) == text
