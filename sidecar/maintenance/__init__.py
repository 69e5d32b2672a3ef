"""Maintenance: what a store needs now and then, done in the background, and never in the way of a write.

`schedule.py` decides when a task is due and `batch_size.py` how much a step does (both pure), `retention.py` which
backups expire, `row_age.py` how old a row is. `steps.py` runs a task step by step, `tasks.py` lists the tasks, and
`scheduler.py` is the one task of the event loop that runs them. Storage is reached through `UnifiedStorage` only.
"""
