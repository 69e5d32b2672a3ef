"""Only asyncio's part, which is imported by its name."""

hiddenimports = ["anyio._backends._asyncio"]
excludedimports = ["_pytest", "hypothesis", "pytest", "trio"]
