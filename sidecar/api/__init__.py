"""Being an HTTP server: the app, its security, its errors, and one file of routes a resource.

Reaches storage through `UnifiedStorage` only, and knows nothing of processes.
"""
