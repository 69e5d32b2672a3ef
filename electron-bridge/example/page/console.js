// The page's frame: calls the sidecar and shows its state, how long the last call took, and what went wrong.
import { sidecar } from "/electron-sidecar.js";
import { openPanels } from "/panels.js";

const LABELS = {
  stopped: "Stopped",
  starting: "Starting…",
  ready: "Ready",
  unresponsive: "Not answering…",
  restarting: "Restarting…",
  failed: "Failed",
  stopping: "Stopping…",
};

/** The last reported status: what is asked for on its behalf may come when it no longer holds. */
let latest;

/** Calls an operation; leaves a `performance` measure named by it, in milliseconds, and one line in the header. */
async function call(operation, input) {
  const started = performance.now();
  const result = await sidecar.call(operation, input);
  const { duration } = performance.measure(operation, { start: started });
  document.querySelector("#last-call").textContent = `${operation} · ${duration.toFixed(1)} ms`;
  return result;
}

/** Shows the state that the bridge reports; of a sidecar that is ready, also which process it is. */
async function showStatus(status) {
  latest = status;
  const { state, stage, failure } = status;
  const doing = stage && stage.stage !== "starting" ? ` (${stage.stage})` : "";
  showState(state, failure?.message ?? `${LABELS[state]}${doing}`);
  if (state !== "ready") return;
  const { pid, version } = await sidecar.health.live();
  if (latest === status) showState(state, `${LABELS.ready} · version ${version} · process ${pid}`);
}

function showState(state, label) {
  const element = document.querySelector("#state");
  element.dataset.state = state;
  element.querySelector(".label").textContent = label;
}

function tell(error) {
  const notice = document.querySelector("#notice");
  notice.querySelector("p").textContent = error.message;
  notice.hidden = false;
}

document.querySelector("#notice button").addEventListener("click", () => {
  document.querySelector("#notice").hidden = true;
});
sidecar.onStatus((status) => void showStatus(status).catch(tell));
sidecar.status().then(showStatus).catch(tell);
openPanels({ call, subscribe: sidecar.events.subscribe, tell });
