"""Documents and folders: a tree that can be read, moved, deleted and restored."""

import pytest

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.base import MAX_INTEGER
from sidecar.models.vaults import VaultPage
from sidecar.storage.unified import UnifiedStorage


@pytest.fixture(autouse=True)
async def no_quick_start(storage: UnifiedStorage) -> None:
    """Begin with an empty tree."""
    for vault in (await storage.get_vaults()).items:
        await storage.delete_vault_permanently(vault.id)


async def folder(storage: UnifiedStorage, title: str = "folder", parent_id: int | None = None) -> int:
    return (await storage.insert_vaults(title, is_folder=True, parent_id=parent_id)).id


async def document(storage: UnifiedStorage, title: str = "document", parent_id: int | None = None) -> int:
    return (await storage.insert_vaults(title, parent_id=parent_id)).id


def titles(page: VaultPage) -> list[str]:
    return [vault.title for vault in page.items]


async def test_a_vault_is_read_back_as_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_vaults("Title", "Summary", "Content", "Report", "a,b", None, sort_order=7)
    assert await storage.get_vault(made.id) == made
    assert (made.summary, made.document_type, made.tags, made.sort_order) == ("Summary", "Report", "a,b", 7)
    assert made.created_at == made.updated_at


async def test_a_vault_that_is_not_there_is_not_found(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound, match="no vault with the id 999"):
        await storage.get_vault(999)


async def test_a_parent_must_be_there(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound):
        await document(storage, parent_id=999)


async def test_a_parent_must_be_a_folder(storage: UnifiedStorage) -> None:
    parent = await document(storage)
    with pytest.raises(Conflict, match="only a folder"):
        await document(storage, parent_id=parent)


async def test_a_parent_must_not_be_deleted(storage: UnifiedStorage) -> None:
    parent = await folder(storage)
    await storage.delete_vault(parent)
    with pytest.raises(Conflict, match="deleted"):
        await document(storage, parent_id=parent)


async def test_children_are_listed_by_place_and_new_ones_come_last(storage: UnifiedStorage) -> None:
    parent = await folder(storage)
    for title in ("first", "second", "third"):
        await document(storage, title, parent)
    third = (await storage.get_children(parent)).items[2]
    first, second = (await storage.get_children(parent)).items[:2]
    await storage.update_vault(third.id, sort_order=(first.sort_order + second.sort_order) // 2)
    assert titles(await storage.get_children(parent)) == ["first", "third", "second"]
    assert titles(await storage.get_children()) == ["folder"]


async def test_the_last_place_has_no_end(storage: UnifiedStorage) -> None:
    await storage.insert_vaults("at the end", sort_order=MAX_INTEGER)
    await document(storage, "behind it")
    assert titles(await storage.get_children()) == ["at the end", "behind it"]


async def test_children_of_a_folder_that_is_not_there_are_not_found(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound):
        await storage.get_children(999)


async def test_folders_are_listed_by_place(storage: UnifiedStorage) -> None:
    outer = await folder(storage, "outer")
    await folder(storage, "inner", outer)
    await document(storage)
    assert titles(await storage.get_folders()) == ["outer", "inner"]


async def test_reports_are_what_is_not_a_note(storage: UnifiedStorage) -> None:
    await document(storage, "note")
    await storage.insert_vaults("report", document_type="DailyReport")
    assert titles(await storage.get_reports()) == ["report"]


async def test_vaults_are_found_by_title_and_by_type(storage: UnifiedStorage) -> None:
    await document(storage, "one")
    await storage.insert_vaults("two", document_type="Idea")
    assert titles(await storage.get_vaults(title="one")) == ["one"]
    assert titles(await storage.get_vaults(document_type="Idea")) == ["two"]


async def test_vaults_are_found_by_when_they_were_made_and_changed(storage: UnifiedStorage) -> None:
    vault = await storage.get_vault(await document(storage))
    assert titles(await storage.get_vaults(created_after=vault.created_at)) == ["document"]
    assert titles(await storage.get_vaults(created_before=vault.created_at)) == []
    changed = await storage.update_vault(vault.id, content="new")
    assert titles(await storage.get_vaults(updated_after=changed.updated_at)) == ["document"]
    assert titles(await storage.get_vaults(updated_before=changed.updated_at)) == []


async def test_times_of_a_filter_may_have_any_offset_but_must_have_one(storage: UnifiedStorage) -> None:
    await document(storage)
    assert titles(await storage.get_vaults(created_after="2020-01-01T00:00:00+05:30")) == ["document"]
    with pytest.raises(InvalidInput, match="created_after"):
        await storage.get_vaults(created_after="2020-01-01T00:00:00")


async def test_an_update_changes_what_it_names_and_nothing_else(storage: UnifiedStorage) -> None:
    before = await storage.insert_vaults("Title", "Summary", "Content", tags="a")
    after = await storage.update_vault(before.id, content="New", summary=None)
    assert after == before.model_copy(update={"content": "New", "summary": None, "updated_at": after.updated_at})


async def test_a_deleted_vault_cannot_be_changed(storage: UnifiedStorage) -> None:
    vault = await document(storage)
    await storage.delete_vault(vault)
    with pytest.raises(Conflict, match="restore it first"):
        await storage.update_vault(vault, title="new")
    with pytest.raises(Conflict, match="restore it first"):
        await storage.move_vault(vault, None)


async def test_an_update_can_delete_and_restore(storage: UnifiedStorage) -> None:
    vault = await document(storage)
    assert (await storage.update_vault(vault, is_deleted=True)).is_deleted
    restored = await storage.update_vault(vault, is_deleted=False, title="back")
    assert (restored.is_deleted, restored.title) == (False, "back")


async def test_a_vault_moves_with_all_below_it(storage: UnifiedStorage) -> None:
    source, target = await folder(storage, "source"), await folder(storage, "target")
    inner = await folder(storage, "inner", source)
    await document(storage, "leaf", inner)
    moved = await storage.move_vault(inner, target)
    assert moved.parent_id == target
    assert titles(await storage.get_children(target)) == ["inner"]
    assert titles(await storage.get_children(inner)) == ["leaf"]
    assert (await storage.move_vault(inner, None)).parent_id is None


async def test_a_vault_cannot_move_into_its_own_subtree(storage: UnifiedStorage) -> None:
    outer = await folder(storage, "outer")
    middle = await folder(storage, "middle", outer)
    inner = await folder(storage, "inner", middle)
    for target in (outer, middle, inner):
        with pytest.raises(Conflict, match="into itself"):
            await storage.move_vault(outer, target)
    assert (await storage.get_vault(outer)).parent_id is None


async def test_a_vault_moves_into_folders_only(storage: UnifiedStorage) -> None:
    vault, other = await document(storage), await document(storage)
    with pytest.raises(Conflict, match="only a folder"):
        await storage.move_vault(vault, other)
    with pytest.raises(NotFound):
        await storage.move_vault(vault, 999)


async def test_deleting_a_folder_hides_its_subtree_and_restoring_brings_exactly_that_back(
    storage: UnifiedStorage,
) -> None:
    outer = await folder(storage, "outer")
    inner = await folder(storage, "inner", outer)
    leaf, earlier = await document(storage, "leaf", inner), await document(storage, "earlier", inner)
    await storage.delete_vault(earlier)
    before = [await storage.get_vault(vault) for vault in (outer, inner, leaf, earlier)]
    assert await storage.delete_vault(outer) == [outer, inner, leaf]
    assert titles(await storage.get_vaults()) == []
    assert sorted(titles(await storage.get_vaults(is_deleted=True))) == ["earlier", "inner", "leaf", "outer"]
    assert await storage.restore_vault(outer) == [outer, inner, leaf]
    assert [await storage.get_vault(vault) for vault in (outer, inner, leaf, earlier)] == before


async def test_a_vault_deleted_before_its_folder_is_restored_after_it(storage: UnifiedStorage) -> None:
    parent = await folder(storage)
    child = await document(storage, parent_id=parent)
    await storage.delete_vault(child)
    await storage.delete_vault(parent)
    with pytest.raises(Conflict, match="restore the folder first"):
        await storage.restore_vault(child)
    await storage.restore_vault(parent)
    assert await storage.restore_vault(child) == [child]


async def test_a_part_of_a_deleted_folder_is_not_restored_alone(storage: UnifiedStorage) -> None:
    parent = await folder(storage)
    child = await document(storage, parent_id=parent)
    await storage.delete_vault(parent)
    with pytest.raises(Conflict, match=f"together with the folder {parent}"):
        await storage.restore_vault(child)


async def test_deleting_twice_and_restoring_twice_are_conflicts(storage: UnifiedStorage) -> None:
    vault = await document(storage)
    await storage.delete_vault(vault)
    with pytest.raises(Conflict):
        await storage.delete_vault(vault)
    await storage.restore_vault(vault)
    with pytest.raises(Conflict, match="is not deleted"):
        await storage.restore_vault(vault)


async def test_permanent_deletion_takes_the_whole_subtree_deleted_or_not(storage: UnifiedStorage) -> None:
    outer = await folder(storage, "outer")
    inner = await folder(storage, "inner", outer)
    trashed = await document(storage, "trashed", inner)
    await storage.delete_vault(trashed)
    assert await storage.delete_vault_permanently(outer) == [outer, inner, trashed]
    for vault in (outer, inner, trashed):
        with pytest.raises(NotFound):
            await storage.get_vault(vault)


async def test_an_id_is_never_given_again(storage: UnifiedStorage) -> None:
    first = await document(storage)
    await storage.delete_vault_permanently(first)
    assert await document(storage) > first


async def test_changes_of_a_whole_subtree_are_told(storage: UnifiedStorage) -> None:
    outer = await folder(storage)
    inner = await document(storage, parent_id=outer)
    seen: list[tuple[str, int | str]] = []
    storage.subscribe(lambda changes: seen.extend((change.topic, change.id) for change in changes))
    await storage.delete_vault(outer)
    assert seen == [("vaults", outer), ("vaults", inner)]
