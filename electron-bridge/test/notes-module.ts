// The smallest extension: a module whose only operation answers with a word, and the table of that operation.

import { join } from "node:path";

/** The Python of this repository, with the sidecar in it. */
export const PYTHON = join(
  __dirname,
  "..",
  "..",
  ".venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

export function moduleSaying(word: string): string {
  return `
from sidecar.extension import Extension

notes = Extension("notes")

@notes.router.get("/word")
async def word() -> str:
    """Return a word."""
    return "${word}"
`;
}

export const wordOperations = {
  "notes.word": {
    method: "GET",
    path: "/x/notes/word",
    mutating: false,
    replayable: true,
    restricted: false,
    flat: null,
  },
} as const;
