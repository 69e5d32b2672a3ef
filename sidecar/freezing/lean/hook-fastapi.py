"""Without pydantic 1, which FastAPI looks for only to refuse its models."""

excludedimports = ["pydantic.v1"]
