// Draws the list of alerts. Everything that came from outside is set as text, never as markup; links are made in Python.
function titled(made, title) {
  if (title) made.title = title;
  return made;
}

function what(alert, page) {
  const line = element("div", "line");
  const icon = titled(element("span", "icon", alert.icon), alert.severity_name);
  icon.setAttribute("role", "img");
  icon.setAttribute("aria-label", alert.severity_name);
  const words = element("div", "text");
  words.append(
    titled(linked(element("a", "name", alert.message), alert.path, () => page.open("alert", alert.id)), alert.message),
    titled(element("div", "faint", alert.place), alert.place),
  );
  line.append(icon, words);
  return line;
}

function cause(alert) {
  const subject = element("div", "clip");
  if (alert.commit) subject.append(element("span", "sha", alert.commit));
  subject.append(alert.subject);
  subject.title = alert.subject;
  return [subject, element("div", "faint", alert.author)];
}

function links(alert, page, body) {
  const found = [];
  if (alert.excerpt) {
    const toggle = element("button", "toggle", page.opened.has(alert.id) ? "Hide log" : "Log");
    toggle.type = "button";
    toggle.setAttribute("aria-expanded", String(page.opened.has(alert.id)));
    toggle.addEventListener("click", () => {
      page.opened.has(alert.id) ? page.opened.delete(alert.id) : page.opened.add(alert.id);
      fill(body, alert, page);
      body.querySelector(".toggle").focus();
    });
    found.push(toggle);
  }
  if (alert.run_path) found.push(linked(element("a", "", "Run"), alert.run_path, () => page.open("run", alert.run)));
  return found;
}

function checkbox(alert, page) {
  if (!page.selectable) return null;
  const box = element("input");
  box.type = "checkbox";
  box.checked = page.selected.has(alert.id);
  box.setAttribute("aria-label", `Select: ${alert.message}`);
  box.addEventListener("change", () => {
    box.checked ? page.selected.add(alert.id) : page.selected.delete(alert.id);
    page.changed();
  });
  return box;
}

function fill(body, alert, page) {
  const isOpened = Boolean(alert.excerpt) && page.opened.has(alert.id);
  const row = element("tr", `alert ${alert.severity}${alert.ended ? " ended" : ""}`);
  row.dataset.alert = alert.id;
  row.classList.toggle("opened", isOpened);
  row.classList.toggle("selected", page.selected.has(alert.id));
  row.append(
    cell("pick", checkbox(alert, page)),
    cell("what", what(alert, page)),
    cell("cause", ...cause(alert)),
    cell("state", titled(element("div", "clip", alert.state), alert.state), titled(element("div", "faint", alert.note), alert.note)),
    cell("since", titled(element("div", "clip", alert.since), alert.since_exact), element("div", "faint", alert.times)),
    cell("links", ...links(alert, page, body)),
  );
  body.replaceChildren(row);
  if (isOpened) {
    const log = element("tr", "log");
    const place = cell("", element("pre", "", alert.excerpt));
    if (alert.log_path) {
      const whole = element("a", "", "Open log");
      whole.href = alert.log_path;
      place.append(whole);
    }
    place.colSpan = 6;
    log.append(place);
    body.append(log);
  }
}

function head(page, alerts) {
  const titles = element("tr");
  const all = element("th", "pick");
  if (page.selectable) {
    const box = element("input");
    box.type = "checkbox";
    box.setAttribute("aria-label", "Select all on this page");
    box.checked = alerts.length > 0 && alerts.every((alert) => page.selected.has(alert.id));
    box.addEventListener("change", () => {
      alerts.forEach((alert) => (box.checked ? page.selected.add(alert.id) : page.selected.delete(alert.id)));
      page.changed();
    });
    all.append(box);
  }
  titles.append(
    all, element("th", "what", "Alert"), element("th", "cause", "Last change"), element("th", "state", "State"),
    element("th", "since", "Since"), element("th", "links", "Links"),
  );
  const made = element("thead");
  made.append(titles);
  return made;
}

function draw(page, alerts) {
  const bodies = alerts.map((alert) => {
    const body = element("tbody");
    fill(body, alert, page);
    return body;
  });
  page.table.replaceChildren(head(page, alerts), ...bodies);
}

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  let table = parentElement.querySelector("table");
  if (!table) {
    table = element("table");
    table.page = { table, selected: new Set(), opened: new Set() };
    parentElement.append(table);
  }
  const page = table.page;
  const shown = new Set(data.rows.map((alert) => alert.id));
  page.selectable = data.selectable;
  for (const id of page.selected) if (!shown.has(id)) page.selected.delete(id);
  page.open = (kind, id) => setTriggerValue("opened", `${kind} ${id}`);
  page.changed = () => {
    draw(page, data.rows);
    setStateValue("selected", [...page.selected]);
  };
  draw(page, data.rows);
}
