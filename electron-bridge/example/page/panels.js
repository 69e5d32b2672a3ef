// The four panels: each lists its rows, adds to them through the `call` it is given, and follows what others change.

const COMPLETED = 1;
const MINUTE_MS = 60_000;
const LIMIT = 200;

export function openPanels({ call, subscribe, tell }) {
  const panels = [vaultsPanel(call), todosPanel(call, tell), activitiesPanel(call), tipsPanel(call)];
  for (const panel of panels) {
    const form = document.querySelector(panel.form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void submit(form, panel).catch(tell);
    });
    panel.refresh().catch(tell);
    subscribe([panel.topic], oneAtATime(panel.refresh, tell));
  }
}

/** However many rows change at once: one refresh at a time, and one more for what changed meanwhile. */
function oneAtATime(refresh, tell) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await refresh().catch(tell);
    } while (again);
    running = false;
  };
}

async function submit(form, panel) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await panel.add(Object.fromEntries(new FormData(form)));
    form.reset();
    await panel.refresh();
  } finally {
    button.disabled = false;
  }
}

function vaultsPanel(call) {
  const list = document.querySelector("#vaults");
  const folders = document.querySelector("#add-vault [name=parent_id]");

  function branch(vaults, parentId) {
    const children = vaults.filter((vault) => vault.parent_id === parentId);
    children.sort((one, other) => other.is_folder - one.is_folder || one.sort_order - other.sort_order);
    return children.map((vault) => {
      const item = row(vault, vault.title, vault.is_folder ? "" : excerpt(vault.content));
      item.classList.add(vault.is_folder ? "folder" : "document");
      const below = branch(vaults, vault.id);
      if (below.length > 0) item.append(element("ul", { className: "tree" }, ...below));
      return item;
    });
  }

  return {
    topic: "vaults",
    form: "#add-vault",
    add: ({ title, content, is_folder, parent_id }) =>
      call("vaults.create", {
        body: {
          title,
          content,
          is_folder: is_folder !== "",
          parent_id: parent_id ? Number(parent_id) : null,
        },
      }),
    async refresh() {
      const { items } = await call("vaults.list", { query: { limit: LIMIT } });
      fill(list, branch(items, null), "No documents yet.");
      const places = items
        .filter((vault) => vault.is_folder)
        .map(({ id, title }) => new Option(`in ${title}`, id));
      folders.replaceChildren(new Option("at the top", ""), ...places);
    },
  };
}

function todosPanel(call, tell) {
  const list = document.querySelector("#todos");

  function todoRow(todo, refresh) {
    const box = element("input", {
      type: "checkbox",
      checked: todo.status === COMPLETED,
      ariaLabel: todo.content,
    });
    box.addEventListener("change", () => {
      call("todos.toggle", { todo_id: todo.id }).catch(tell).finally(refresh);
    });
    const item = row(todo, todo.content, when(todo.end_time ?? todo.created_at));
    item.classList.toggle("completed", box.checked);
    item.prepend(box);
    return item;
  }

  async function refresh() {
    const { items } = await call("todos.list", { query: { limit: LIMIT } });
    fill(
      list,
      items.map((todo) => todoRow(todo, () => refresh().catch(tell))),
      "Nothing to do.",
    );
  }

  return {
    topic: "todos",
    form: "#add-todo",
    add: ({ content }) => call("todos.create", { content }),
    refresh,
  };
}

function activitiesPanel(call) {
  return {
    topic: "activities",
    form: "#add-activity",
    add({ title, minutes }) {
      const end = new Date();
      const start = new Date(end.getTime() - Number(minutes) * MINUTE_MS);
      return call("activities.create", {
        body: { title, content: "", start_time: start.toISOString(), end_time: end.toISOString() },
      });
    },
    async refresh() {
      const { items } = await call("activities.list", { query: { limit: LIMIT } });
      const rows = items.map((activity) => {
        const minutes = Math.round((new Date(activity.end_time) - new Date(activity.start_time)) / MINUTE_MS);
        return row(activity, activity.title, `${minutes} min · ${when(activity.start_time)}`);
      });
      fill(document.querySelector("#activities"), rows, "Nothing recorded yet.");
    },
  };
}

function tipsPanel(call) {
  return {
    topic: "tips",
    form: "#add-tip",
    add: ({ content }) => call("tips.create", { content }),
    async refresh() {
      const { items } = await call("tips.list", { query: { limit: LIMIT } });
      fill(
        document.querySelector("#tips"),
        items.map((tip) => row(tip, tip.content, when(tip.created_at))),
        "No tips yet.",
      );
    },
  };
}

function row({ id }, text, detail) {
  const item = element("li", {}, element("span", { className: "text" }, text), element("small", {}, detail));
  item.dataset.id = id;
  return item;
}

function fill(list, rows, whenEmpty) {
  list.replaceChildren(...(rows.length > 0 ? rows : [element("li", { className: "empty" }, whenEmpty)]));
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** The first line of a Markdown text that is not a heading. */
function excerpt(text) {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return (lines[0] ?? "").slice(0, 80);
}

function when(time) {
  return new Date(time).toLocaleString(undefined, {
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
}
