"""The tree of vaults against a model of it that fits on a page."""

import asyncio
import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict
from sidecar.models.vaults import VaultCreate
from sidecar.storage.unified import UnifiedStorage, document_backend


class Node(NamedTuple):
    parent: int | None
    is_folder: bool
    deleted_with: int | None = None


class VaultTree(RuleBasedStateMachine):
    """Random makes, moves, deletions and restorations; after each, store and model hold the same tree."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.nodes: dict[int, Node] = {}

    @initialize()
    def open(self) -> None:
        config = document_backend(DatabaseSettings(enabled=False), Path(tempfile.gettempdir()))
        self.storage = UnifiedStorage.create([config])
        self.runner.run(self.storage.initialize())
        (quick_start,) = self.runner.run(self.storage.get_vaults()).items
        self.nodes[quick_start.id] = Node(None, is_folder=False)

    def teardown(self) -> None:
        self.runner.run(self.storage.close())
        self.runner.close()

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.nodes)))

    def pick_parent(self, data: st.DataObject) -> int | None:
        return data.draw(st.none() | st.sampled_from(sorted(self.nodes)))

    def accepts_children(self, vault: int | None) -> bool:
        return vault is None or (self.nodes[vault].is_folder and self.nodes[vault].deleted_with is None)

    def subtree(self, root: int) -> set[int]:
        found = {root}
        while more := {vault for vault, node in self.nodes.items() if node.parent in found} - found:
            found |= more
        return found

    @rule(data=st.data(), is_folder=st.booleans())
    def make(self, data: st.DataObject, is_folder: bool) -> None:
        parent = self.pick_parent(data)
        making = self.storage.insert_vaults("v", parent_id=parent, is_folder=is_folder)
        if self.accepts_children(parent):
            self.nodes[self.runner.run(making).id] = Node(parent, is_folder)
        else:
            self.must_conflict(making)

    @rule(data=st.data(), count=st.integers(1, 3))
    def make_many(self, data: st.DataObject, count: int) -> None:
        parents = [self.pick_parent(data) for _ in range(count)]
        making = self.storage.batch_insert_vaults([VaultCreate(title="v", parent_id=parent) for parent in parents])
        if not all(self.accepts_children(parent) for parent in parents):
            self.must_conflict(making)
            return
        for vault, parent in zip(self.runner.run(making), parents, strict=True):
            self.nodes[vault] = Node(parent, is_folder=False)

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        vault, parent = self.pick(data), self.pick_parent(data)
        moving = self.storage.move_vault(vault, parent)
        is_present = self.nodes[vault].deleted_with is None
        if is_present and self.accepts_children(parent) and parent not in self.subtree(vault):
            self.runner.run(moving)
            self.nodes[vault] = self.nodes[vault]._replace(parent=parent)
        else:
            self.must_conflict(moving)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        vault = self.pick(data)
        deleting = self.storage.delete_vault(vault)
        if self.nodes[vault].deleted_with is not None:
            self.must_conflict(deleting)
            return
        taken = {below for below in self.subtree(vault) if self.nodes[below].deleted_with is None}
        assert set(self.runner.run(deleting)) == taken
        for below in taken:
            self.nodes[below] = self.nodes[below]._replace(deleted_with=vault)

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        vault = self.pick(data)
        restoring = self.storage.restore_vault(vault)
        node = self.nodes[vault]
        parent_is_deleted = node.parent is not None and self.nodes[node.parent].deleted_with is not None
        if node.deleted_with != vault or parent_is_deleted:
            self.must_conflict(restoring)
            return
        brought_back = {other for other, its in self.nodes.items() if its.deleted_with == vault}
        assert set(self.runner.run(restoring)) == brought_back
        for other in brought_back:
            self.nodes[other] = self.nodes[other]._replace(deleted_with=None)

    @rule(data=st.data())
    def delete_permanently(self, data: st.DataObject) -> None:
        if len(self.nodes) < 4:
            return
        vault = self.pick(data)
        gone = self.subtree(vault)
        assert set(self.runner.run(self.storage.delete_vault_permanently(vault))) == gone
        for below in gone:
            del self.nodes[below]
        if not self.nodes:
            self.nodes[self.runner.run(self.storage.insert_vaults("v")).id] = Node(None, is_folder=False)

    @invariant()
    def store_and_model_agree(self) -> None:
        if not self.nodes:
            return
        stored: dict[int, tuple[int | None, bool, bool]] = {}
        for is_deleted in (False, True):
            for vault in self.runner.run(self.storage.get_vaults(limit=1000, is_deleted=is_deleted)).items:
                stored[vault.id] = (vault.parent_id, vault.is_folder, vault.is_deleted)
        assert stored == {
            vault: (node.parent, node.is_folder, node.deleted_with is not None) for vault, node in self.nodes.items()
        }

    def must_conflict(self, work: object) -> None:
        try:
            self.runner.run(work)  # type: ignore[arg-type]
        except Conflict:
            return
        raise AssertionError("the model expected a conflict")


TestVaultTree = VaultTree.TestCase
TestVaultTree.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
