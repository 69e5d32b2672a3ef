"""Backups: copies that were verified by opening them, their manifests, and the restore of one of them.

The open database enters; files in the directory of backups leave, or the store that one of them holds.
"""
