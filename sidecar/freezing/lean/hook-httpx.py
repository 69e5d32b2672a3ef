"""Without its command line."""

excludedimports = ["click", "pygments", "rich", "socksio", "trio"]
