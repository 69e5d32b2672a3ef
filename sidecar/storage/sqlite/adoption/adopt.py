"""Taking over a database that one of the seeds' systems made, in place and in one transaction.

The old tables are renamed, ours are made by the ordinary migrations, the rows are carried over, the old tables are
dropped. Rows keep their ids. What cannot be kept in its place is set aside in `adopted_orphans`, with the reason: rows
that have no place, and the original of every row that had a value which does not fit. Tables of others stay as they
are; their columns, indexes, triggers and views on the old tables move to ours. The table `adoptions` holds the report.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import DiskFull, StorageError
from sidecar.models import timestamps
from sidecar.models.adoption import AdoptionReport
from sidecar.storage.interfaces import StageListener
from sidecar.storage.resources.rows_set_aside import ORPHANS
from sidecar.storage.sqlite.adoption import compaction
from sidecar.storage.sqlite.adoption.arrivals import STAGE
from sidecar.storage.sqlite.adoption.carrying import Carrier
from sidecar.storage.sqlite.adoption.machine_zone import machine_zone, zone_name
from sidecar.storage.sqlite.adoption.objects import Object, Objects, schema_made_by
from sidecar.storage.sqlite.adoption.tables import carried_tables
from sidecar.storage.sqlite.adoption.times import Clock as SeedClock
from sidecar.storage.sqlite.engine.encoding import any_text
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.schema.makers import columns_of, maker
from sidecar.storage.sqlite.search import index as search_index

log = logging.getLogger(__name__)

_ANNOUNCED_EVERY_S = 2.0


def adopt(
    connection: sqlite3.Connection,
    create: Callable[[sqlite3.Connection], None],
    announce: StageListener,
    clock: Clock,
    zone: tzinfo | None = None,
    source: str | None = None,
    *,
    keeps_columns: bool = True,
) -> AdoptionReport:
    """Bring a seed's database to our schema, which `create` makes; return the report, which is stored in it, too.

    Local times in it belong to `zone`, or to this machine's. `source` is the name of the file in the report, if it is
    not the one that is open. Without `keeps_columns`, the values of unknown columns are set aside. Raises
    `StorageError` for a database that no known system made. A failure leaves the database as it was, and is raised.
    """
    system = maker(connection)
    if system is None:
        raise StorageError("This is not a database of a system whose databases can be adopted.")
    seed_clock = SeedClock(zone or machine_zone(clock.now()))
    now = timestamps.now(clock)
    ours = schema_made_by(create)
    with _adopting(connection):
        objects = Objects(connection, ours, keeps_columns=keeps_columns)
        objects.make_room()
        objects.follow_renamed_columns()
        create(connection)
        carrier = Carrier(connection, objects.renamed, _announcing(announce, clock), now)
        columns = _carry(connection, carrier, objects, seed_clock)
        announce(STAGE, "removing the old tables")
        for aside in objects.renamed.values():
            connection.execute(f'DROP TABLE "{aside}"')
        _require_references(connection, ours)
        if search_index.is_there(connection):
            # What was noted for it, taken in at once, would hold up the first write.
            search_index.empty(connection)
        report = AdoptionReport(
            rows=_counts(carrier.rows),
            set_aside=_counts(carrier.set_aside),
            replaced=_counts(carrier.replaced),
            added_up=_counts(carrier.added_up),
            threads_made=carrier.threads_made,
            repeated_times=seed_clock.repeated,
            skipped_times=seed_clock.skipped,
            columns=columns,
            objects=objects.restore(),
        )
        values = (system, source or _file_of(connection), zone_name(seed_clock.zone), now)
        connection.execute(
            "INSERT INTO adoptions (system, source, time_zone, adopted_at, report) VALUES (?, ?, ?, ?, ?)",
            (*values, report.model_dump_json()),
        )
    _announce_report(announce, zone_name(seed_clock.zone), report)
    announce(STAGE, "giving back the space of the old tables")
    _give_back_space(connection)
    return report


def _carry(connection: sqlite3.Connection, carrier: Carrier, objects: Objects, clock: SeedClock) -> list[str]:
    """Carry the rows of every table over, or set them aside; return the unknown columns that were kept."""
    present = []
    for carried in carried_tables(clock):
        aside = objects.renamed.get(carried.source)
        if aside is not None and (carried.needs is None or carried.needs in columns_of(connection, aside)):
            present.append(carried)
    known: dict[str, set[str]] = {}
    for carried in present:
        known.setdefault(carried.source, set()).update(carried.known_columns)
    kept = []
    seen: set[str] = set()
    for carried in present:
        # Several of our tables may be filled from one: the first of them gets its unknown columns.
        unknown = set() if carried.source not in seen else columns_of(connection, objects.renamed[carried.source])
        seen.add(carried.source)
        columns = objects.add_columns(carried.source, carried.table, known[carried.source] | unknown)
        kept += [f"{carried.table}.{name}" for name in columns.kept]
        carrier.carry(carried, columns)
    for table in sorted(objects.renamed.keys() - seen):
        carrier.set_all_aside(table)
    carrier.close()
    return kept


def _announcing(announce: StageListener, clock: Clock) -> Callable[[str, int], None]:
    """Return a listener to rows that announces the first one of each table, and then one every few seconds."""
    announced_at = 0.0
    announced = ""

    def on_row(table: str, number: int) -> None:
        nonlocal announced, announced_at
        now = clock.monotonic()
        if table != announced or now - announced_at > _ANNOUNCED_EVERY_S:
            announce(STAGE, f"the rows of {table}" + (f": {number:,} so far" if number > 1 else ""))
            announced, announced_at = table, now

    return on_row


def _require_references(connection: sqlite3.Connection, ours: Sequence[Object]) -> None:
    """Raises `StorageError` for a row of our tables that refers to one that is not there; rows of others may."""
    for entry in ours:
        if entry.kind != "table" or entry.sql.startswith("CREATE VIRTUAL"):
            continue
        if connection.execute(f'PRAGMA foreign_key_check("{entry.name}")').fetchone() is not None:
            raise StorageError(f"The adopted database would have rows in {entry.name} that refer to missing rows.")


def _announce_report(announce: StageListener, zone: str, report: AdoptionReport) -> None:
    """Announce and log what a person should know of the adoption."""
    carried = ", ".join(f"{count} {table}" for table, count in report.rows.items()) or "no rows"
    aside, replaced = sum(report.set_aside.values()), sum(report.replaced.values())
    dropped = [f"{one.kind} {one.name} ({one.reason})" for one in report.objects if not one.is_kept]
    sentences = [f"local times were read as those of {zone}"]
    if report.repeated_times or report.skipped_times:
        sentences.append(
            f"{report.repeated_times} of them lie in a repeated hour, {report.skipped_times} in a skipped one"
        )
    if aside or replaced:
        sentences.append(
            f"{aside} rows were set aside, and the originals of {replaced} with replaced values ({ORPHANS})"
        )
    if dropped:
        sentences.append(f"only the text was kept of {', '.join(dropped)}")
    for sentence in sentences:
        announce(STAGE, sentence)
    log.warning("adopted %s; %s", carried, "; ".join(sentences))


@contextmanager
def _adopting(connection: sqlite3.Connection) -> Iterator[None]:
    """Adopt all or nothing inside the block.

    Foreign keys are only checked at the end. Text that is not UTF-8 is read as bytes. The pages of dropped tables are
    not overwritten, which SQLite would keep in memory until the table is gone; the file is rewritten afterwards.
    """
    settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("foreign_keys", "secure_delete")}
    for name in settings:
        connection.execute(f"PRAGMA {name} = OFF")
    try:
        with transaction(connection), any_text(connection):
            yield
    finally:
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = {value}")


def _give_back_space(connection: sqlite3.Connection) -> None:
    """Rewrite the file, half of which is free now. Like a new one, it can then be vacuumed in steps."""
    try:
        compaction.compact(connection)
    except (sqlite3.Error, OSError, DiskFull) as error:
        log.warning("the adopted database keeps the space of its old tables: %s", error)


def _counts(counted: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counted.items() if count}


def _file_of(connection: sqlite3.Connection) -> str:
    """Return the path of the open database; "" for one in memory."""
    path: str = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    return str(Path(path)) if path else ""
