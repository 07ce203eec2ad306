// Draws the runs table. Everything that came from outside is set as text, never as markup; links are checked in Python.
const COLUMNS = ["Pipeline", "Status", "Duration", "Commit", "Message", "Author", "Started", "Link"];

function link(className, text, href) {
  const made = element("a", className, text);
  made.href = href;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  return made;
}

function pipeline(run, open) {
  const name = linked(element("a", "name", run.pipeline), run.path, () => open(run.id));
  const system = element("span", "system", run.system_icon);
  system.title = run.system;
  system.setAttribute("role", "img");
  system.setAttribute("aria-label", run.system);
  const words = element("span", "words", [run.repository, run.branch].filter(Boolean).join(" · "));
  words.title = words.textContent;
  const place = element("div", "faint place");
  place.append(system, words);
  const head = element("div", "head");
  head.append(name, element("span", "faint", run.number));
  return [head, place];
}

function status(run) {
  const made = element("span", `status ${run.status}`);
  const icon = element("span", "icon", run.status_icon);
  icon.setAttribute("aria-hidden", "true");
  made.append(icon, element("span", "", run.status));
  if (run.status_title) made.title = run.status_title;
  return made;
}

function commit(run) {
  if (!run.commit) return element("span", "faint", "–");
  return run.commit_url ? link("sha", run.commit, run.commit_url) : element("span", "sha", run.commit);
}

function row(run, open) {
  const made = element("tr");
  made.dataset.run = run.id;
  const message = element("div", "clip", run.message);
  message.title = run.message;
  const author = element("div", "clip", run.author);
  author.title = run.author;
  const time = element("span", "", run.time);
  time.title = run.exact;
  const out = run.url ? link("out", "↗", run.url) : null;
  if (out) {
    out.title = `Open in ${run.system}`;
    out.setAttribute("aria-label", out.title);
  }
  made.append(
    cell("pipeline", ...pipeline(run, open)), cell("state", status(run)), cell("duration", element("span", "", run.duration)),
    cell("commit", commit(run)), cell("message", message), cell("author", author), cell("started", time), cell("link", out),
  );
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let table = parentElement.querySelector("table");
  if (!table) {
    const head = element("thead");
    const titles = element("tr");
    titles.append(...COLUMNS.map((title) => element("th", title.toLowerCase(), title)));
    head.append(titles);
    table = element("table");
    table.append(head, element("tbody"));
    parentElement.append(table);
  }
  const open = (id) => setTriggerValue("opened", id);
  table.tBodies[0].replaceChildren(...data.rows.map((run) => row(run, open)));
}
