// A real sidecar for a test, on data of its own, which are gone when the test is over.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Sidecar, type SidecarOptions } from "../main/index.js";
import { killTarget } from "../main/platform.js";

export interface TestSidecarOptions extends Partial<SidecarOptions> {
  /** The Python that has the sidecar; without it and `command`, the sidecar is found as in an app. */
  readonly python?: string;
  /** Directories in which the extension modules are looked for first; relative ones lie in the current directory. */
  readonly pythonPath?: readonly string[];
  /** The data directory, which is then kept; else a temporary one. */
  readonly dataDir?: string;
}

/** A running sidecar, with all members of `Sidecar`. */
export class TestSidecar extends Sidecar {
  /** The absolute path of its data directory. */
  readonly dataDir: string;
  readonly #remove: () => void;

  constructor(options: TestSidecarOptions) {
    const { dataDir = temporaryFolder(), python, pythonPath = [], ...others } = options;
    super({
      ...(python !== undefined && { command: python, args: ["-m", "sidecar"] }),
      ...others,
      pythonPath: pythonPath.map((path) => resolve(path)),
      dataDir,
    });
    this.dataDir = dataDir;
    this.#remove = options.dataDir === undefined ? () => removeFolder(dataDir) : () => undefined;
    unclosed.add(this);
  }

  /** Stops it and removes its data, unless `dataDir` was given. May be called again. */
  async close(): Promise<void> {
    await this.stop();
    this.#remove();
    unclosed.delete(this);
  }

  /** As `close`, for a process that is about to end and can wait for nothing. */
  abandon(): void {
    const { ready } = this.snapshot;
    try {
      if (ready) process.kill(killTarget(ready.pid), "SIGKILL");
    } catch {
      // It has ended already.
    }
    this.#remove();
  }
}

/**
 * Starts a sidecar on a temporary data directory. The test calls `close()`; what it forgets ends with its process.
 *
 * @throws SidecarError why it does not start, with the end of its log as the cause
 */
export async function startSidecar(options: TestSidecarOptions = {}): Promise<TestSidecar> {
  const sidecar = new TestSidecar(options);
  try {
    await sidecar.start();
    return sidecar;
  } catch (error) {
    await sidecar.close();
    throw error;
  }
}

/**
 * A fixture for `test.extend` of vitest or Playwright: each test that asks for it has a sidecar of its own.
 *
 *     const test = base.extend({ sidecar: sidecarFixture({ extensions: ["my_app.notes"], pythonPath: ["backend"] }) });
 */
export function sidecarFixture(options: TestSidecarOptions = {}) {
  // eslint-disable-next-line no-empty-pattern -- the runners read the names of other fixtures off the first parameter
  return async ({}: object, use: (sidecar: TestSidecar) => Promise<void>): Promise<void> => {
    const sidecar = await startSidecar(options);
    try {
      await use(sidecar);
    } finally {
      await sidecar.close();
    }
  };
}

const unclosed = new Set<TestSidecar>();
process.once("exit", () => {
  for (const sidecar of unclosed) sidecar.abandon();
});

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "electron-sidecar-test-"));
}

function removeFolder(folder: string): void {
  // A virus scanner may hold a file for a moment.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
