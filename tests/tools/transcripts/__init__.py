"""Conversations as documents."""
