// The page: notes that are created, listed live and deleted by operations of backend/notes.py.
import { sidecar } from "electron-sidecar/renderer";

type Note = Awaited<ReturnType<typeof sidecar.notes.list_notes>>["items"][number];

function element<Type extends HTMLElement>(selector: string): Type {
  const found = document.querySelector<Type>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

function report(error: unknown): void {
  element("#problem").textContent = error instanceof Error ? error.message : String(error);
}

function row(note: Note): HTMLLIElement {
  const text = Object.assign(document.createElement("span"), { textContent: note.text });
  const button = Object.assign(document.createElement("button"), { textContent: "Delete" });
  button.addEventListener("click", () => {
    sidecar.notes.delete_note({ note_id: note.id }).catch(report);
  });
  const item = document.createElement("li");
  item.append(text, button);
  return item;
}

// Called with the list now, and again after every change of it, whoever made it.
sidecar.live("notes.list_notes", {}, ({ items }) => element("#notes").replaceChildren(...items.map(row)), {
  onError: report,
});

element<HTMLFormElement>("#create").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const text = String(new FormData(form).get("text"));
  sidecar.notes.create_note({ text }).then(() => form.reset(), report);
});

sidecar.onStatus(({ state }) => (element("#state").textContent = state));
sidecar.status().then(({ state }) => (element("#state").textContent = state), report);
