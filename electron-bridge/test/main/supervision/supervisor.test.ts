// The supervisor's transitions, with a clock, a process and a chance that the test holds in its hands.

import { describe, expect, test } from "vitest";
import type { ChildEvents, Exit } from "../../../src/main/child/child.js";
import { AwakeClock } from "../../../src/main/supervision/clock.js";
import { failureError } from "../../../src/main/supervision/failure.js";
import { defaultPolicy, definePolicy, type Policy } from "../../../src/main/supervision/policy.js";
import type { StatusLine } from "../../../src/main/child/output.js";
import { Supervisor } from "../../../src/main/supervision/supervisor.js";
import type { Ready, State, Snapshot } from "../../../src/shared/status.js";
import { FakeClock } from "../../fake-clock.js";

const READY: Ready = { port: 4000, pid: 1, instance: "a", version: "1", apiVersion: 1, schemaVersion: 1 };
const CRASH: Exit = { code: 1, signal: null };

/** A process that does nothing by itself: the test speaks for it. */
class FakeChild {
  readonly orders: string[] = [];
  isGone = false;
  /** What it answers at once when it is asked; undefined if it is stuck for good. */
  stacks: string[] | undefined = ["a stack"];

  constructor(private readonly events: ChildEvents) {}

  readonly shutdown = (): void => void this.orders.push("shutdown");
  readonly askForStacks = (): void => {
    this.orders.push("askForStacks");
    if (this.stacks) this.events.stacks(this.stacks);
  };
  readonly terminate = (): void => void this.orders.push("terminate");
  readonly kill = (): void => void this.orders.push("kill");

  say(line: StatusLine): void {
    this.events.line(line);
  }

  tellStacks(stacks: string[]): void {
    this.events.stacks(stacks);
  }

  becomeReady(): void {
    this.say({ event: "ready", ready: READY });
  }

  exit(exit: Exit): void {
    this.events.exited(exit);
  }

  end(exit: Exit = CRASH): void {
    this.events.exited(exit);
    this.vanish(exit);
  }

  vanish(exit: Exit = CRASH): void {
    this.isGone = true;
    this.events.gone(exit);
  }
}

function setUp(changes: Partial<Policy> = {}) {
  const clock = new FakeClock();
  const awakeClock = new AwakeClock(clock);
  const children: FakeChild[] = [];
  const statuses: Snapshot[] = [];
  const world = { alive: true, probes: 0, random: 0 };
  const supervisor = new Supervisor({
    policy: definePolicy(changes),
    clock: awakeClock,
    random: () => world.random,
    launch: (events) => {
      const child = new FakeChild(events);
      children.push(child);
      return child;
    },
    probe: () => {
      world.probes += 1;
      return Promise.resolve(world.alive);
    },
    logTail: () => ["the last line"],
    changed: (status) => statuses.push(status),
  });
  const child = (): FakeChild => {
    const newest = children.at(-1);
    if (!newest) throw new Error("nothing was launched");
    return newest;
  };
  const states = (): State[] => statuses.map(({ state }) => state);
  const sleep = async (ms: number): Promise<void> => {
    supervisor.suspend();
    awakeClock.suspend();
    await clock.advance(ms);
    supervisor.resume();
    awakeClock.resume();
  };
  return { supervisor, clock, children, child, world, states, sleep };
}

function startQuietly(supervisor: Supervisor): Promise<unknown> {
  return supervisor.start().catch((error: unknown) => error);
}

describe("starting", () => {
  test("a sidecar that says ready is ready, and start() resolves with what it said", async () => {
    const { supervisor, child, states } = setUp();
    const started = supervisor.start();
    child().say({ event: "bound", version: { version: "1", apiVersion: 1 } });
    child().becomeReady();
    expect(await started).toEqual(READY);
    expect(supervisor.status).toEqual({
      state: "ready",
      ready: READY,
      stage: null,
      failure: null,
      restarts: 0,
    });
    expect(states()).toEqual(["starting", "ready"]);
  });

  test("start() twice is the same promise, and one process", () => {
    const { supervisor, children } = setUp();
    expect(supervisor.start()).toBe(supervisor.start());
    expect(children).toHaveLength(1);
  });

  test("status snapshots cannot be changed", () => {
    const { supervisor } = setUp();
    void supervisor.start();
    expect(Object.isFrozen(supervisor.status)).toBe(true);
  });

  test("a start without a status line for 45 s is killed and tried again", async () => {
    const { supervisor, clock, children, child } = setUp();
    void startQuietly(supervisor);
    await clock.advance(44_999);
    expect(child().orders).toEqual([]);
    await clock.advance(1);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(supervisor.status).toMatchObject({ state: "restarting", failure: { code: "start_timeout" } });
    await clock.advance(500);
    expect(children).toHaveLength(2);
  });

  test("every status line gives a start another 45 s, up to 180 s in all", async () => {
    const { supervisor, clock, child } = setUp();
    const started = startQuietly(supervisor);
    for (let line = 1; line <= 4; line += 1) {
      await clock.advance(44_000);
      child().say({ event: "stage", stage: "starting", detail: null });
    }
    await clock.advance(3_999);
    expect(child().orders).toEqual([]);
    await clock.advance(1);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(await started).toMatchObject({ code: "start_timeout" });
    expect(supervisor.status.state).toBe("failed");
  });

  test("the time that a migration takes does not count", async () => {
    const { supervisor, clock, child } = setUp();
    const started = supervisor.start();
    await clock.advance(40_000);
    for (let minute = 0; minute < 60; minute += 1) {
      child().say({ event: "stage", stage: "migrating", detail: `${minute} of 60` });
      await clock.advance(40_000);
    }
    expect(supervisor.status.stage).toEqual({ stage: "migrating", detail: "59 of 60" });
    child().say({ event: "stage", stage: "starting", detail: null });
    await clock.advance(40_000);
    expect(child().orders).toEqual([]);
    child().becomeReady();
    expect(await started).toEqual(READY);
  });

  test("the 180 s run on across attempts that each hang", async () => {
    const { supervisor, clock, child, children } = setUp();
    const started = startQuietly(supervisor);
    while (supervisor.status.state !== "failed" && clock.now() < 600_000) {
      await clock.advance(100);
      if (child().orders.includes("kill") && !child().isGone) child().end({ code: null, signal: "SIGKILL" });
    }
    expect(clock.now()).toBe(defaultPolicy.startTotalMs);
    expect(children).toHaveLength(4);
    expect(await started).toMatchObject({ code: "start_timeout" });
  });

  test("a machine that sleeps meanwhile does not fail it", async () => {
    const { supervisor, clock, child, sleep } = setUp();
    const started = supervisor.start();
    for (let nap = 1; nap <= 3; nap += 1) {
      await clock.advance(44_000);
      await sleep(3_600_000);
      await clock.advance(1_000);
      child().say({ event: "stage", stage: "starting", detail: null });
    }
    expect(child().orders).toEqual([]);
    child().becomeReady();
    expect(await started).toEqual(READY);
  });

  test("one that says nothing after such a sleep is given up 45 s after that", async () => {
    const { supervisor, clock, child, sleep } = setUp();
    void startQuietly(supervisor);
    await clock.advance(44_000);
    await sleep(3_600_000);
    await clock.advance(44_999);
    expect(child().orders).toEqual([]);
    await clock.advance(1);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
  });

  test("a program that cannot be run fails at once, with no restart", async () => {
    const { supervisor, child, clock } = setUp();
    const started = startQuietly(supervisor);
    const refusal = { code: "spawn_failed", message: "No such program.", isPermanent: true };
    child().end({ code: null, signal: null, refusal });
    expect(await started).toMatchObject({ code: "spawn_failed", message: "No such program." });
    expect(clock.pending).toBe(0);
  });
});

describe("losing it", () => {
  test.each([2, 3, 4, 5, 6, 8])(
    "exit code %i is permanent: it fails with the sidecar's own words",
    async (code) => {
      const { supervisor, child, states } = setUp();
      const started = startQuietly(supervisor);
      child().exit({ code, signal: null });
      child().say({ event: "failed", code: "its_code", message: "Its own words." });
      child().vanish({ code, signal: null });
      const failure = {
        code: "its_code",
        message: "Its own words.",
        exitCode: code,
        logTail: ["the last line"],
      };
      expect(supervisor.status).toMatchObject({ state: "failed", failure });
      expect(await started).toMatchObject({ code: "its_code", message: "Its own words." });
      expect(states()).toEqual(["starting", "failed"]);
    },
  );

  test("a ready sidecar that ends is not ready any more from that moment", () => {
    const { supervisor, child } = setUp();
    void supervisor.start();
    child().becomeReady();
    child().exit({ code: null, signal: "SIGSEGV" });
    expect(supervisor.status).toMatchObject({
      state: "restarting",
      ready: null,
      failure: { code: "sidecar_exited", signal: "SIGSEGV", message: "The sidecar ended by signal SIGSEGV." },
    });
  });

  test("it is not restarted before the old process is confirmed gone", async () => {
    const { supervisor, child, children, clock } = setUp();
    void supervisor.start();
    child().becomeReady();
    child().exit(CRASH);
    await clock.advance(60_000);
    expect(children).toHaveLength(1);
    child().vanish();
    await clock.advance(500);
    expect(children).toHaveLength(2);
  });

  test("a clean end that nobody asked for is followed by a restart", async () => {
    const { supervisor, child, children, clock } = setUp();
    void supervisor.start();
    child().becomeReady();
    child().end({ code: 0, signal: null });
    await clock.advance(500);
    expect(children).toHaveLength(2);
    expect(supervisor.status).toMatchObject({ state: "starting", restarts: 1 });
  });

  test("the pause before a restart doubles from 0.5 s to 10 s, less its random part", async () => {
    const { supervisor, child, children, clock, world } = setUp({
      breakerCrashes: Infinity,
      startTotalMs: Infinity,
    });
    void supervisor.start();
    const pauses: number[] = [];
    for (let restart = 1; restart <= 7; restart += 1) {
      world.random = restart === 7 ? 0.5 : 0;
      child().end();
      const endedAt = clock.now();
      while (children.length === restart) await clock.advance(50);
      pauses.push(clock.now() - endedAt);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 9_000]);
  });

  test("after 60 s of being ready, the next pause is the first one again", async () => {
    const { supervisor, child, children, clock } = setUp();
    void supervisor.start();
    child().end();
    await clock.advance(500);
    child().end();
    await clock.advance(1_000);
    child().becomeReady();
    await clock.advance(60_000);
    child().end();
    await clock.advance(500);
    expect(children).toHaveLength(4);
  });

  test("ready for less than 60 s, it goes on with the longer pause", async () => {
    const { supervisor, child, children, clock } = setUp();
    void supervisor.start();
    child().end();
    await clock.advance(500);
    child().becomeReady();
    await clock.advance(59_999);
    child().end();
    await clock.advance(999);
    expect(children).toHaveLength(2);
    await clock.advance(1);
    expect(children).toHaveLength(3);
  });

  test("the fifth crash within 3 minutes trips the breaker", async () => {
    const { supervisor, child, children, clock } = setUp();
    const started = startQuietly(supervisor);
    for (const pause of [500, 1_000, 2_000, 4_000]) {
      child().end();
      await clock.advance(pause);
    }
    expect(children).toHaveLength(5);
    child().end();
    expect(supervisor.status).toMatchObject({
      state: "failed",
      restarts: 4,
      failure: { code: "crash_loop", exitCode: 1 },
    });
    expect(await started).toMatchObject({ code: "crash_loop" });
    expect(clock.pending).toBe(0);
  });

  test("five crashes over a longer time do not trip it", async () => {
    const { supervisor, child, clock } = setUp();
    void supervisor.start();
    for (let crash = 0; crash < 20; crash += 1) {
      child().becomeReady();
      await clock.advance(50_000);
      child().end();
      await clock.advance(10_000);
      expect(supervisor.status.state).toBe("starting");
    }
  });

  test("start() after it has failed begins anew, with nothing counted", async () => {
    const { supervisor, child, children, clock } = setUp();
    void startQuietly(supervisor);
    child().end({ code: 3, signal: null });
    const started = supervisor.start();
    expect(supervisor.status).toMatchObject({ state: "starting", failure: null, restarts: 0 });
    child().end();
    await clock.advance(500);
    expect(children).toHaveLength(3);
    child().becomeReady();
    expect(await started).toEqual(READY);
  });
});

describe("watching", () => {
  async function ready(changes: Partial<Policy> = {}) {
    const parts = setUp(changes);
    const started = parts.supervisor.start();
    parts.child().becomeReady();
    await started;
    return parts;
  }

  test("it is probed every 5 s", async () => {
    const { clock, world, supervisor } = await ready();
    await clock.advance(50_000);
    expect(world.probes).toBe(10);
    expect(supervisor.status.state).toBe("ready");
  });

  test("one missed probe does nothing", async () => {
    const { clock, world, child } = await ready();
    for (const alive of [false, true, false, true]) {
      world.alive = alive;
      await clock.advance(5_000);
    }
    expect(child().orders).toEqual([]);
  });

  test("two missed in a row make it unresponsive: it is killed and, once gone, restarted", async () => {
    const { clock, world, child, children, supervisor, states } = await ready();
    world.alive = false;
    await clock.advance(10_000);
    expect(supervisor.status).toMatchObject({ state: "unresponsive", ready: null });
    expect(child().orders).toEqual(["askForStacks", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(supervisor.status.failure).toMatchObject({ code: "sidecar_unresponsive", signal: "SIGKILL" });
    await clock.advance(500);
    expect(children).toHaveLength(2);
    expect(new Set(states())).toEqual(new Set(["starting", "ready", "unresponsive", "restarting"]));
  });

  test("while the machine sleeps no probe is sent, and those missed before do not count after", async () => {
    const { clock, world, child, sleep } = await ready();
    world.alive = false;
    await clock.advance(5_000);
    await sleep(100_000);
    expect(world.probes).toBe(1);
    await clock.advance(5_000);
    expect(child().orders).toEqual([]);
    await clock.advance(5_000);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
  });

  test("an unresponsive sidecar is killed as soon as it has told its stacks, which are in the failure", async () => {
    const { clock, world, child, supervisor } = await ready();
    child().stacks = undefined;
    world.alive = false;
    await clock.advance(10_000);
    expect(child().orders).toEqual(["askForStacks"]);
    child().tellStacks(["Thread 1", "  in never_return"]);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(supervisor.status).toMatchObject({
      state: "restarting",
      failure: { code: "sidecar_unresponsive", stacks: ["Thread 1", "  in never_return"] },
    });
  });

  test("one that tells none is killed all the same, 1 s after it was asked", async () => {
    const { clock, world, child, supervisor } = await ready();
    child().stacks = undefined;
    world.alive = false;
    await clock.advance(10_999);
    expect(child().orders).toEqual(["askForStacks"]);
    await clock.advance(1);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(supervisor.status.failure?.stacks).toEqual([]);
  });

  test("stacks that come only with its end are in the failure too", async () => {
    const { clock, world, child, supervisor } = await ready();
    child().stacks = undefined;
    world.alive = false;
    await clock.advance(11_000);
    child().exit({ code: null, signal: "SIGKILL" });
    child().tellStacks(["half a stack"]);
    child().vanish({ code: null, signal: "SIGKILL" });
    expect(supervisor.status.failure?.stacks).toEqual(["half a stack"]);
    expect(child().orders).toEqual(["askForStacks", "kill"]);
  });

  test("a sidecar that is unresponsive again and again fails with its stacks, in the error too", async () => {
    const { clock, world, child, supervisor } = setUp({ breakerCrashes: 1 });
    const failed = supervisor.start();
    child().becomeReady();
    await failed;
    world.alive = false;
    await clock.advance(10_000);
    child().end({ code: null, signal: "SIGKILL" });
    expect(supervisor.status).toMatchObject({ state: "failed", failure: { stacks: ["a stack"] } });
    const { failure } = supervisor.status;
    expect(String(failure && failureError(failure).cause)).toContain(
      "the last line\nWhat its threads were doing:\na stack",
    );
  });

  test("what an old process still says is not taken for the new one's", async () => {
    const { clock, child, children, supervisor } = await ready();
    child().end();
    await clock.advance(500);
    children[0]?.becomeReady();
    children[0]?.end();
    expect(supervisor.status.state).toBe("starting");
  });
});

describe("stopping", () => {
  test("a sidecar that obeys is stopped gracefully", async () => {
    const { supervisor, child, clock, states } = setUp();
    void supervisor.start();
    child().becomeReady();
    const stopped = supervisor.stop();
    expect(child().orders).toEqual(["shutdown"]);
    await clock.advance(300);
    child().end({ code: 0, signal: null });
    const report = { outcome: "graceful", confirmed: true, exitCode: 0, signal: null, durationMs: 300 };
    expect(await stopped).toEqual(report);
    expect(states()).toEqual(["starting", "ready", "stopping", "stopped"]);
    expect(clock.pending).toBe(0);
  });

  test("after 5 s its group is terminated, after 2 s more its tree is killed", async () => {
    const { supervisor, child, clock } = setUp();
    void supervisor.start();
    child().becomeReady();
    const stopped = supervisor.stop();
    await clock.advance(4_999);
    expect(child().orders).toEqual(["shutdown"]);
    await clock.advance(1);
    expect(child().orders).toEqual(["shutdown", "terminate"]);
    await clock.advance(2_000);
    expect(child().orders).toEqual(["shutdown", "terminate", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(await stopped).toMatchObject({
      outcome: "killed",
      confirmed: true,
      signal: "SIGKILL",
      durationMs: 7_000,
    });
  });

  test("a process that not even killing ends is reported as not confirmed, and not replaced", async () => {
    const { supervisor, child, children, clock } = setUp();
    void supervisor.start();
    const refused = startQuietly(supervisor);
    const stopped = supervisor.stop();
    await clock.advance(12_000);
    expect(await stopped).toMatchObject({ outcome: "killed", confirmed: false, exitCode: null });
    expect(await refused).toMatchObject({ code: "not_running" });
    void startQuietly(supervisor);
    await clock.advance(10_000);
    expect(children).toHaveLength(1);
    child().end();
    expect(children).toHaveLength(2);
  });

  test("during a start, it ends the start", async () => {
    const { supervisor, child } = setUp();
    const started = startQuietly(supervisor);
    const stopped = supervisor.stop();
    child().becomeReady();
    expect(supervisor.status.state).toBe("stopping");
    child().end({ code: 0, signal: null });
    expect(await stopped).toMatchObject({ outcome: "graceful" });
    expect(await started).toMatchObject({ code: "not_running" });
  });

  test("during the pause before a restart, nothing is restarted", async () => {
    const { supervisor, child, children, clock } = setUp();
    void startQuietly(supervisor);
    child().end();
    expect(await supervisor.stop()).toMatchObject({ outcome: "not_running", confirmed: true });
    await clock.advance(60_000);
    expect(children).toHaveLength(1);
    expect(supervisor.status.state).toBe("stopped");
  });

  test("of an unresponsive sidecar that is being killed, it waits for its end", async () => {
    const { supervisor, child, clock, world } = setUp();
    void supervisor.start();
    child().becomeReady();
    world.alive = false;
    await clock.advance(10_000);
    const stopped = supervisor.stop();
    child().end({ code: null, signal: "SIGKILL" });
    expect(await stopped).toMatchObject({ outcome: "killed", confirmed: true });
    expect(supervisor.status.state).toBe("stopped");
  });

  test("of one that is asked for its stacks kills it without waiting for them", async () => {
    const { supervisor, child, clock, world } = setUp();
    void supervisor.start();
    child().becomeReady();
    child().stacks = undefined;
    world.alive = false;
    await clock.advance(10_000);
    const stopped = supervisor.stop();
    expect(child().orders).toEqual(["askForStacks", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(await stopped).toMatchObject({ outcome: "killed", confirmed: true });
    expect(clock.pending).toBe(0);
  });

  test("twice is the same stop", () => {
    const { supervisor, child } = setUp();
    void startQuietly(supervisor);
    expect(supervisor.stop()).toBe(supervisor.stop());
    expect(child().orders).toEqual(["shutdown"]);
  });

  test("start() while it is stopping starts a new one when the old one is gone", async () => {
    const { supervisor, child, children } = setUp();
    void startQuietly(supervisor);
    void supervisor.stop();
    const started = supervisor.start();
    expect(children).toHaveLength(1);
    child().end({ code: 0, signal: null });
    expect(children).toHaveLength(2);
    child().becomeReady();
    expect(await started).toEqual(READY);
  });

  test("stop() takes back a start() that waited for an earlier stop", async () => {
    const { supervisor, child, children } = setUp();
    void startQuietly(supervisor);
    void supervisor.stop();
    const started = startQuietly(supervisor);
    void supervisor.stop();
    child().end({ code: 0, signal: null });
    expect(await started).toMatchObject({ code: "not_running" });
    expect(children).toHaveLength(1);
    expect(supervisor.status.state).toBe("stopped");
  });
});

describe("reload()", () => {
  test("stops a ready sidecar, and starts another when that is gone; it is no crash", async () => {
    const { supervisor, child, children, states, clock } = setUp();
    void supervisor.start();
    child().becomeReady();
    supervisor.reload();
    expect(child().orders).toEqual(["shutdown"]);
    expect(supervisor.status).toMatchObject({ state: "restarting", ready: null, failure: null });
    expect(children).toHaveLength(1);
    child().end({ code: 0, signal: null });
    expect(children).toHaveLength(2);
    child().becomeReady();
    await clock.advance(0);
    expect(states()).toEqual(["starting", "ready", "restarting", "starting", "ready"]);
    expect(supervisor.status).toMatchObject({ failure: null, restarts: 1 });
  });

  test("again and again trips no breaker", () => {
    const { supervisor, child } = setUp();
    void supervisor.start();
    for (let round = 0; round < 20; round += 1) {
      child().becomeReady();
      supervisor.reload();
      child().end({ code: 0, signal: null });
    }
    child().becomeReady();
    expect(supervisor.status).toMatchObject({ state: "ready", restarts: 20 });
  });

  test("kills one that does not stop, as stop() does", async () => {
    const { supervisor, child, children, clock } = setUp();
    void supervisor.start();
    child().becomeReady();
    supervisor.reload();
    await clock.advance(7_000);
    expect(child().orders).toEqual(["shutdown", "terminate", "kill"]);
    child().end({ code: null, signal: "SIGKILL" });
    expect(children).toHaveLength(2);
    expect(supervisor.status.state).toBe("starting");
  });

  test("starts again what had failed for good", async () => {
    const { supervisor, child, children } = setUp();
    const started = startQuietly(supervisor);
    child().end({ code: 8, signal: null });
    expect(await started).toMatchObject({ code: "sidecar_exited" });
    supervisor.reload();
    expect(supervisor.status).toMatchObject({ state: "starting", failure: null });
    child().end({ code: 8, signal: null });
    expect(supervisor.status.state).toBe("failed");
    supervisor.reload();
    child().becomeReady();
    expect(children).toHaveLength(3);
    expect(supervisor.status.state).toBe("ready");
  });

  test("does not wait for the pause after a crash", () => {
    const { supervisor, child, children } = setUp();
    void supervisor.start();
    child().becomeReady();
    child().end();
    expect(supervisor.status.state).toBe("restarting");
    supervisor.reload();
    expect(children).toHaveLength(2);
    expect(supervisor.status.state).toBe("starting");
  });

  test("of one that is starting keeps the promise of its start", async () => {
    const { supervisor, child } = setUp();
    const started = supervisor.start();
    supervisor.reload();
    child().end({ code: 0, signal: null });
    child().becomeReady();
    expect(await started).toEqual(READY);
  });

  test("does nothing for an app that wants no sidecar", async () => {
    const { supervisor, child, children } = setUp();
    supervisor.reload();
    expect(children).toHaveLength(0);
    void startQuietly(supervisor);
    const stopped = supervisor.stop();
    supervisor.reload();
    child().end({ code: 0, signal: null });
    await stopped;
    expect(children).toHaveLength(1);
    expect(supervisor.status.state).toBe("stopped");
  });

  test("gives way to stop(), which refuses calls at once", async () => {
    const { supervisor, child, children } = setUp();
    void supervisor.start();
    child().becomeReady();
    supervisor.reload();
    const stopped = supervisor.stop();
    expect(supervisor.status.state).toBe("stopping");
    child().end({ code: 0, signal: null });
    expect(await stopped).toMatchObject({ outcome: "graceful", confirmed: true });
    expect(children).toHaveLength(1);
    expect(supervisor.status.state).toBe("stopped");
  });
});

describe("whatever happens", () => {
  /** A small generator of repeatable chance (xorshift). */
  function chance(seed: number): () => number {
    let state = seed;
    return () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) / 2 ** 32;
    };
  }

  test("the invariant holds, in every state, over thousands of random steps", async () => {
    const seen = new Set<State>();
    for (const seed of [1, 2, 3, 4, 5, 6])
      for (const state of await walk(chance(seed * 7919), 1_500)) seen.add(state);
    expect(seen.size).toBe(7);
  });

  /** Lets random things happen, checks the invariant after each, and returns the states that were seen. */
  async function walk(random: () => number, steps: number): Promise<Set<State>> {
    const { supervisor, clock, children, world, sleep } = setUp();
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const seen = new Set<State>();
    let wanted = false;
    const start = (): void => {
      wanted = true;
      void startQuietly(supervisor);
    };
    const stop = (): void => {
      wanted = false;
      void supervisor.stop();
    };
    for (let step = 0; step < steps; step += 1) {
      const child = children.find(({ isGone }) => !isGone);
      await pick<() => unknown>([
        () => start(),
        () => random() < 0.1 && stop(),
        () => random() < 0.3 && supervisor.reload(),
        () => (world.alive = random() < 0.7),
        () => clock.advance(pick([10, 700, 6_000, 46_000])),
        () => sleep(60_000),
        () => child && (child.stacks = random() < 0.5 ? ["a stack"] : undefined),
        () => child?.becomeReady(),
        () => child?.say({ event: "stage", stage: pick(["migrating", "starting"]), detail: null }),
        () => child?.exit(CRASH),
        () => child?.end({ code: pick([0, 1, 1, 1, 3]), signal: null }),
      ])();
      checkInvariant(wanted, supervisor.status, children, clock);
      seen.add(supervisor.status.state);
    }
    return seen;
  }

  function checkInvariant(
    wanted: boolean,
    status: Snapshot,
    children: readonly FakeChild[],
    clock: FakeClock,
  ): void {
    const { state, failure } = status;
    const alive = children.filter(({ isGone }) => !isGone).length;
    expect(alive, "one process at a time").toBeLessThanOrEqual(1);
    if (wanted && state === "failed") {
      expect(failure?.logTail).toEqual(["the last line"]);
      expect(failure?.message).not.toBe("");
    } else if (wanted) {
      expect(alive === 1 || (state === "restarting" && clock.pending > 0), state).toBe(true);
    } else if (alive === 0) {
      expect(["stopped", "failed"]).toContain(state);
      expect(clock.pending).toBe(0);
    }
  }
});
