"""The upgrade of a database that may be a seed's: it is adopted, or has the migrations that are due."""

import sqlite3
from datetime import tzinfo

from sidecar.clock import Clock
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite.schema import upgrade


def adopt_or_upgrade(
    connection: sqlite3.Connection,
    before_change: upgrade.BeforeChange | None,
    announce: StageListener,
    *,
    clock: Clock,
    zone: tzinfo | None = None,
    source: str | None = None,
    keeps_columns: bool = True,
) -> int:
    """Do what `upgrade.bring_up_to_date` does, and adopt a database that a seed's system made.

    The other parameters are those of `adopt`.
    """
    due = upgrade.due_for(connection)
    if not due or not upgrade.is_seeds(connection):
        return upgrade.bring_up_to_date(connection, before_change, announce, clock=clock)
    if before_change is not None:
        before_change(connection)
    from sidecar.storage.sqlite.adoption import adopt  # a start seldom adopts a database

    adopt.adopt(
        connection,
        lambda created: upgrade.apply_each(created, due, clock),
        announce,
        clock,
        zone,
        source,
        keeps_columns=keeps_columns,
    )
    return len(due)
