"""Vaults as a tree of Markdown files."""

import contextlib
import zipfile

import pytest

from sidecar.errors import InvalidInput
from sidecar.tools.archive import Archive
from sidecar.tools.archive_limits import ArchiveLimits
from sidecar.tools.markdown import sanitised

from .conftest import OpenStore, archive_of


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Plain title", "Plain title"),
        ('a/b\\c:d*e?f"g<h>i|j\n\x00', "a_b_c_d_e_f_g_h_i_j__"),
        ("..", "Untitled"),
        ("", "Untitled"),
        (" . x . ", "x"),
        ("CON", "_CON"),
        ("lpt1.txt", "_lpt1.txt"),
        ("console", "console"),
        ("x" * 300, "x" * 80),
        ("u\u0308ber", "über"),
    ],
)
def test_a_title_becomes_a_name_that_is_valid_everywhere(title: str, name: str) -> None:
    assert sanitised(title) == name


async def test_folders_are_directories_and_documents_files_with_front_matter(open_store: OpenStore) -> None:
    store = await open_store("store")
    outer = await store.insert_vaults("Outer", is_folder=True)
    inner = await store.insert_vaults("Inner", is_folder=True, parent_id=outer.id)
    document = await store.insert_vaults('A "note"', "short", "# Text\n", "Daily", "a, b", inner.id)
    with zipfile.ZipFile(await archive_of(store, markdown=True)) as zip_file:
        text = zip_file.read("markdown/Outer/Inner/A _note_.md").decode()
    assert text == (
        f"---\nid: {document.id}\n"
        'title: "A \\"note\\""\nsummary: "short"\ndocument_type: "Daily"\ntags: ["a", "b"]\n'
        f'created_at: "{document.created_at}"\nupdated_at: "{document.updated_at}"\n---\n\n# Text\n'
    )


async def test_like_names_are_numbered_and_deleted_vaults_left_out(open_store: OpenStore) -> None:
    store = await open_store("store")
    for title in ("Same", "same", "Same", "Folder"):
        await store.insert_vaults(title)
    for title in ("Folder", "Folder"):
        folder = await store.insert_vaults(title, is_folder=True)
        await store.insert_vaults("In it", parent_id=folder.id)
    gone = await store.insert_vaults("Gone")
    await store.delete_vault(gone.id)
    await store.delete_vault_permanently(1)
    with zipfile.ZipFile(await archive_of(store, markdown=True)) as zip_file:
        names = {name for name in zip_file.namelist() if name.startswith("markdown/")}
    assert names == {
        "markdown/Same.md",
        "markdown/same (2).md",
        "markdown/Same (3).md",
        "markdown/Folder.md",
        "markdown/Folder/In it.md",
        "markdown/Folder (2)/In it.md",
    }


async def test_deep_folders_stay_within_what_a_path_may_be(open_store: OpenStore) -> None:
    store = await open_store("store")
    parent = None
    for number in range(60):
        parent = (await store.insert_vaults(f"Folder {number}", is_folder=True, parent_id=parent)).id
    await store.insert_vaults("Deep", parent_id=parent)
    with zipfile.ZipFile(await archive_of(store, markdown=True)) as zip_file:
        (deep,) = [name for name in zip_file.namelist() if name.endswith("/Deep.md")]
    assert deep.count("/") == 21


async def test_without_the_option_there_is_no_markdown(open_store: OpenStore) -> None:
    with zipfile.ZipFile(await archive_of(await open_store("store"))) as zip_file:
        assert not [name for name in zip_file.namelist() if name.startswith("markdown/")]


async def test_more_files_than_an_archive_may_list_are_refused(open_store: OpenStore) -> None:
    store = await open_store("store")
    for number in range(20):
        await store.insert_vaults(f"{number}")
    refused = 0
    for limit in range(1000, 10_000, 50):
        limits = ArchiveLimits(member_list=limit)
        with contextlib.suppress(InvalidInput):
            archive = await archive_of(store, markdown=True, limits=limits)
            break
        refused += 1
    # The first that is not refused when it is exported is not when it is imported, either.
    assert refused > 0
    Archive.verify(archive, limits=limits)
