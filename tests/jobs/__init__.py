"""Jobs: durable long work."""
