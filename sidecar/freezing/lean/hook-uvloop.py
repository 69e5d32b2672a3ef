"""Without its tests, which the hook of PyInstaller's own collection takes along."""

hiddenimports = ["uvloop.loop"]
