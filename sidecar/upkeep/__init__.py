"""Upkeep: what a store needs now and then, done in the background, and never in the way of a write.

`schedule.py` says when (pure), `pace.py` how much at a time (pure), `retention.py` how old a row is, `steps.py` runs
piece after piece, `tasks.py` says what there is to do, and `keeper.py` is the one task of the event loop that does it.
Storage is reached through `UnifiedStorage` only.
"""
