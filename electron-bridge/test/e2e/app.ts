// An app under test: started in a real Electron on data of its own, closed when the test ends, its log shown if it fails.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ElectronApplication, JSHandle, Page } from "playwright-core";
import { expect, onTestFailed, onTestFinished } from "vitest";
import type * as Client from "../../src/renderer/index.js";
import { launch, leftBehind, quit, SUITE_APP } from "./launch.mjs";

/** Where a page of an app under test finds the renderer's client. */
const CLIENT_URL = "/electron-sidecar.js";
const READY_WITHIN_MS = 20_000;
const QUIT_WITHIN_SECONDS = 2;

export interface StartOptions {
  /** The main file of another app than the suite's. */
  readonly app?: string;
  /** What the suite's app plays. */
  readonly scene?: string;
  readonly userData?: string;
  readonly env?: Record<string, string>;
  /** The folder in which the app is started. */
  readonly cwd?: string;
}

/** What a call came to in the page: its result, or what a SidecarError carries. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: {
    readonly isSidecarError: boolean;
    readonly code: string;
    readonly message: string;
    readonly status: number | null;
    readonly retryable: boolean;
    readonly errors: readonly { readonly field: string; readonly message: string }[];
  };
  /** From the call to its outcome. */
  readonly milliseconds: number;
}

export class App {
  private constructor(
    readonly electron: ElectronApplication,
    readonly page: Page,
    readonly run: string,
  ) {}

  static async start(options: StartOptions = {}): Promise<App> {
    const { app = SUITE_APP, scene, userData = freshFolder(), ...more } = options;
    const args = scene === undefined ? [] : [`--scene=${scene}`];
    const run = path.basename(freshFolder());
    const { electron, log } = await launch(app, { userData, run, args, ...more });
    onTestFailed(() => console.error(`── the app's log\n${log()}`));
    onTestFinished(async () => {
      await quit(electron);
      expect(await leftBehind(run, QUIT_WITHIN_SECONDS)).toEqual([]);
    });
    return new App(electron, await electron.firstWindow(), run);
  }

  /** The renderer's client, as the page imports it. */
  client(): Promise<JSHandle<typeof Client>> {
    return clientOf(this.page);
  }

  /** Calls an operation from the page, whether it exists or not. */
  async call(operation: string, input?: unknown): Promise<Outcome> {
    const client = await this.client();
    return client.evaluate(callInPage, { operation, input });
  }

  /** The result of a call that must succeed. */
  async value<Value>(operation: string, input?: unknown): Promise<Value> {
    const { value, error } = await this.call(operation, input);
    if (error) throw new Error(`${operation}: ${error.code}: ${error.message}`);
    return value as Value;
  }

  async sidecarPid(): Promise<number> {
    return (await this.value<{ pid: number }>("health.live")).pid;
  }

  /** Resolves when the page shows the sidecar as ready. */
  async ready(): Promise<void> {
    await this.page.locator('#state[data-state="ready"]').waitFor({ timeout: READY_WITHIN_MS });
  }
}

export function clientOf(page: Page): Promise<JSHandle<typeof Client>> {
  return page.evaluateHandle<typeof Client>(`import("${CLIENT_URL}")`);
}

/** A second window like the app's first. */
export async function openWindow(app: App): Promise<Page> {
  const opened = app.electron.waitForEvent("window");
  await app.electron.evaluate(({ app }) => app.emit("activate"));
  const page = await opened;
  await page.waitForLoadState("load");
  return page;
}

export function freshFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "electron-sidecar-e2e-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Resolves with the milliseconds after which the condition held. */
export async function until(
  what: string,
  withinMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<number> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - started;
}

/** `call` without its types, for operations that do not exist and input that is wrong. */
type AnyCaller = (operation: string, input?: unknown) => Promise<unknown>;

interface AnyCall {
  readonly operation: string;
  readonly input?: unknown;
}

/** Runs in the page, so it can use nothing from this file. */
async function callInPage(
  { sidecar, SidecarError }: typeof Client,
  { operation, input }: AnyCall,
): Promise<Outcome> {
  const started = performance.now();
  try {
    const value = await (sidecar.call as AnyCaller)(operation, input);
    return { value, milliseconds: performance.now() - started };
  } catch (thrown) {
    const { code, message, status, retryable, errors } = thrown as InstanceType<typeof SidecarError>;
    const isSidecarError = thrown instanceof SidecarError;
    const error = { isSidecarError, code, message, status, retryable, errors };
    return { error, milliseconds: performance.now() - started };
  }
}
