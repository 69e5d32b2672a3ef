"""Where the time and the memory go in rows that miss their bound: profiles, as they were when this was written.

Printed under a row that misses; what the row measures now is in the row itself.
"""

from collections.abc import Mapping

PROFILES: Mapping[str, str] = {
    "batch of 10,000 activities": (
        "of 98 ms, reading the request's JSON into checked rows takes 30, making columns and their JSON text 20, the "
        "INSERTs 24 (13 without the triggers that note what to search), noting the changes 4, the commit 5, receiving "
        "2 MB and all else 15; the bound is 108; by timers around each"
    ),
    "durable create, message, 64 clients": (
        "175 us of processor time: the event loop's 100, a fifth of it for sending, and the writer's 75, with 20 for "
        "the word index and 19 for the commit; they share one interpreter and hardly overlap; by py-spy and timers"
    ),
    "conversation of 500 by 3": (
        "of 4.9 ms: the query, in which SQLite makes the JSON of each row, 3.3; joining 0.8 MB of it 0.2; hops, HTTP "
        "and reading the answer 1.4; by timers around each"
    ),
    "page to new row on the disk and back": (
        "of 0.9 ms over the yardstick, a commit alone is 0.3; then there are two changes of thread, the key of the "
        "call, the word index, and processors that went to sleep meanwhile; by timers"
    ),
    "32 concurrent page calls, new row on the disk": (
        "a create takes 145 us of the sidecar's processor time, a read 90, beside a page and Electron on two "
        "processors; by the scheduler's counts"
    ),
}
