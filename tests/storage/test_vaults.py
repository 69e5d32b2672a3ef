"""Documents and folders: a tree that can be read, moved, deleted and restored."""

import pytest

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.base import MAX_INTEGER
from sidecar.models.contexts import ContextType, ExtractedData, ProcessedContextInput, PropertiesInput
from sidecar.models.vaults import MOST_TYPES, VaultCreate, VaultPage
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


async def test_a_vault_from_elsewhere_keeps_its_times(storage: UnifiedStorage) -> None:
    created, changed = "2023-11-14T22:14:43.000Z", "2024-01-01T00:00:00.000Z"
    made = await storage.insert_vaults("x", created_at="2023-11-14T23:14:43+01:00", updated_at=changed)
    assert (made.created_at, made.updated_at) == (created, changed)
    (in_batch,) = await storage.batch_insert_vaults([VaultCreate("y", created_at=created)])
    read = await storage.get_vault(in_batch)
    assert (read.created_at, read.updated_at) == (created, created)


async def test_vaults_of_several_types_are_listed_together(storage: UnifiedStorage) -> None:
    for document_type in ("Note", "DailyReport", "Weekly"):
        await storage.insert_vaults(document_type, document_type=document_type)
    assert titles(await storage.get_vaults(document_type="Note")) == ["Note"]
    assert titles(await storage.get_vaults(document_type=["Note", "Weekly", "Note"])) == ["Weekly", "Note"]
    assert titles(await storage.get_vaults(document_type=["none"])) == []


@pytest.mark.parametrize("types", [[], ["x"] * 2 + [str(number) for number in range(MOST_TYPES)]])
async def test_no_type_and_too_many_are_refused(storage: UnifiedStorage, types: list[str]) -> None:
    with pytest.raises(InvalidInput, match="document_type"):
        await storage.get_vaults(document_type=types)


async def test_folders_and_documents_are_listed_apart(storage: UnifiedStorage) -> None:
    parent = await folder(storage)
    await document(storage, "inside", parent)
    await folder(storage, "folder inside", parent)
    assert titles(await storage.get_vaults(is_folder=True)) == ["folder inside", "folder"]
    assert titles(await storage.get_vaults(is_folder=False)) == ["inside"]
    assert titles(await storage.get_children(parent, is_folder=False)) == ["inside"]


async def test_a_folder_goes_with_every_other_filter(storage: UnifiedStorage) -> None:
    first, second = await folder(storage, "first"), await folder(storage, "second")
    for parent in (first, second):
        for document_type in ("Note", "Weekly"):
            await storage.insert_vaults(f"{document_type} in {parent}", document_type=document_type, parent_id=parent)
    gone = await document(storage, "gone", first)
    await storage.delete_vault(gone)
    assert titles(await storage.get_vaults(parent_id=first)) == [f"Weekly in {first}", f"Note in {first}"]
    assert titles(await storage.get_vaults(parent_id=second, document_type="Note")) == [f"Note in {second}"]
    assert titles(await storage.get_vaults(parent_id=first, is_deleted=True)) == ["gone"]
    assert titles(await storage.get_vaults(parent_id=first, title="gone")) == []
    assert titles(await storage.get_vaults(parent_id=999)) == []


async def test_children_are_filtered_as_every_vault(storage: UnifiedStorage) -> None:
    parent = await folder(storage)
    old, new = "2020-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
    for title, created in (("old", old), ("new", new)):
        await storage.insert_vaults(title, parent_id=parent, document_type=title, created_at=created)
    gone = await document(storage, "gone", parent)
    await storage.delete_vault(gone)
    assert titles(await storage.get_children(parent)) == ["old", "new"]
    assert titles(await storage.get_children(parent, created_after=new)) == ["new"]
    assert titles(await storage.get_children(parent, updated_before=new)) == ["old"]
    assert titles(await storage.get_children(parent, document_type=["old", "none"])) == ["old"]
    assert titles(await storage.get_children(parent, title="new")) == ["new"]
    assert titles(await storage.get_children(parent, is_deleted=True)) == ["gone"]
    assert titles(await storage.get_children(is_folder=False)) == []


async def context(storage: UnifiedStorage, context_id: str, raw_type: str | None, raw_id: str | None) -> None:
    properties = PropertiesInput(raw_type=raw_type, raw_id=raw_id)
    kind = ExtractedData(context_type=ContextType.SEMANTIC if context_id == "second" else ContextType.ENTITY)
    await storage.upsert_processed_context(
        ProcessedContextInput(id=context_id, extracted_data=kind, properties=properties, vector=[1.0, 0.5])
    )


async def test_the_contexts_of_a_vault_are_those_that_name_it(storage: UnifiedStorage) -> None:
    vault = await document(storage)
    await context(storage, "first", "vaults", str(vault))
    await context(storage, "second", "vaults", str(vault))
    await context(storage, "of another vault", "vaults", str(vault + 1))
    await context(storage, "of another kind", "picture", str(vault))
    await context(storage, "of nothing", None, None)
    page = await storage.get_vault_contexts(vault, with_total=True)
    assert {found.id for found in page.items} == {"first", "second"}
    assert page.total == 2
    assert page.items[0].vector is None
    first = await storage.get_vault_contexts(vault, limit=1, need_vector=True)
    rest = await storage.get_vault_contexts(vault, limit=1, cursor=first.next_cursor)
    assert [found.id for found in (*first.items, *rest.items)] == [found.id for found in page.items]
    assert first.items[0].vector == [1.0, 0.5]
    assert (await storage.get_vault_contexts(999)).items == []
