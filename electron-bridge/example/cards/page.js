// The page: decks, the cards of today, an import with its progress, a search.
import { sidecar } from "/electron-sidecar.js";

const find = (selector) => document.querySelector(selector);
const report = (error) => (find("#problem").textContent = error.message);
const progress = find("#progress");

function show(list, texts) {
  find(list).replaceChildren(...texts.map((content) => Object.assign(document.createElement("li"), content)));
}

async function showDecks() {
  const decks = await sidecar.study.list_decks();
  show(
    "#decks",
    decks.map(({ name, cards, due }) => ({ textContent: `${name}: ${cards} cards, ${due} due` })),
  );
}

async function showDue() {
  const { items } = await sidecar.study.list_due_cards();
  show(
    "#due",
    items.map(({ front, back }) => ({ textContent: front, title: back })),
  );
  items.forEach((card, index) => {
    for (const known of [true, false]) {
      const button = Object.assign(document.createElement("button"), {
        textContent: known ? "Known" : "Again",
      });
      const input = { path: { card_id: card.id }, body: { known } };
      button.addEventListener("click", () => void sidecar.study.review_card(input).catch(report));
      find("#due").children[index].append(button);
    }
  });
}

async function showPreferences() {
  const { items } = await sidecar.preferences.list({ namespace: "study" });
  find("#cards-a-day").value = items.find(({ name }) => name === "cards_a_day")?.value;
}

async function search() {
  const q = find("#query").value;
  const { items } =
    q === "" ? { items: [] } : await sidecar.search.query({ query: { q, kinds: "study.card" } });
  show(
    "#found",
    items.map(({ title }) => ({ textContent: title.map(({ text }) => text).join("") })),
  );
}

/** Reads everything now, and again whenever it may have changed; while one read runs, further changes wait. */
function follow(topics, read) {
  let isReading = false;
  let isStale = false;
  sidecar.events.subscribe(topics, async () => {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale) {
      isStale = false;
      await read().catch(report);
    }
    isReading = false;
  });
}

follow(["study.decks", "study.cards"], showDecks);
follow(["study.cards", "preferences"], showDue);
follow(["preferences"], showPreferences);
sidecar.events.subscribe(["jobs"], (notice) => {
  if (notice.kind !== "event" || notice.data.name !== "study.import_deck") return;
  const { status, done, total, message } = notice.data;
  progress.hidden = status !== "running";
  if (total) Object.assign(progress, { max: total, value: done, title: message });
  progress.dataset.seen = `${progress.dataset.seen ?? ""} ${done ?? 0}`;
});
sidecar.events.subscribe(["study.reminders"], (notice) => {
  if (notice.kind === "event") find("#reminder").textContent = `${notice.data.due} cards are due`;
});
sidecar.onStatus(({ state }) => (find("#state").textContent = state));
sidecar.status().then(({ state }) => (find("#state").textContent = state), report);

find("#import").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = Object.fromEntries(new FormData(event.target));
  sidecar.study.start_import(input).then(() => event.target.reset(), report);
});
find("#cards-a-day").addEventListener("change", ({ target }) => {
  const input = { path: { namespace: "study", name: "cards_a_day" }, body: { value: Number(target.value) } };
  sidecar.preferences.set(input).catch(report);
});
find("#query").addEventListener("input", () => void search().catch(report));
