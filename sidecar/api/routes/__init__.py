"""The operations, one file a resource. Each has an explicit id, `resource.verb`, by which the bridge knows it."""
