"""Only the parts that `sidecar.process.server` names by a string; uvicorn's command, reloader and workers stay out."""

hiddenimports = ["uvicorn.lifespan.off"]
excludedimports = ["dotenv", "gunicorn", "uvicorn.workers", "watchfiles", "websockets", "wsproto", "yaml"]
