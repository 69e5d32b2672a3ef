"""Freezing: `sidecar freeze` makes a folder with an executable that needs no Python, for an app to ship.

The extensions of the app enter; a folder that has passed a self-test leaves. PyInstaller does the work, in a process of
its own. Nothing of this package is in the frozen folder, and it is loaded for this command only.
"""
