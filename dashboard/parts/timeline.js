// Draws rows with bars. Everything that came from outside is set as text, never as markup; addresses are made in Python.
function bar(className, place, title) {
  const made = element("span", className);
  made.style.left = `${place[0]}%`;
  made.style.width = `max(2px, ${Math.min(place[1], 100 - place[0])}%)`;
  if (title) made.title = title;
  return made;
}

function row(shown) {
  const made = element("li", shown.status);
  const icon = element("span", "icon", shown.icon);
  icon.title = shown.status;
  icon.setAttribute("role", "img");
  icon.setAttribute("aria-label", shown.status);
  const name = element(shown.path ? "a" : "span", "name", shown.name);
  name.title = shown.name;
  if (shown.path) name.href = shown.path;
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  if (shown.wait && shown.wait[1] > 0) track.append(bar("wait", shown.wait, shown.waited));
  if (shown.run) track.append(bar("run", shown.run, shown.took));
  made.append(icon, name, track, element("span", "took", shown.took));
  return made;
}

export default function ({ data, parentElement }) {
  let list = parentElement.querySelector("ol");
  if (!list) {
    list = element("ol");
    parentElement.append(list);
  }
  list.setAttribute("aria-label", data.label);
  list.replaceChildren(...data.rows.map(row));
}
