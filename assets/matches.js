// Places of a text one under another, each with what stands around it. Everything becomes text nodes only.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".matches");
  root.setAttribute("aria-label", data.label);
  if (root.shown !== data.id) {
    root.replaceChildren(...data.matches.map((match) => row(match, data.colour, data.ink)));
    root.scrollTop = 0;
    root.shown = data.id;
  }
}

function row(match, colour, ink) {
  const line = document.createElement("div");
  line.className = "match";
  line.setAttribute("role", "listitem");
  line.title = match.said;
  const count = part("count", match.units);
  count.append(part("others", match.others));
  const span = part("span", match.span);
  span.style.background = colour;
  span.style.color = ink;
  const after = part("after", "");
  after.append(part("next", match.next), part("", match.after));
  const before = part("before", "");
  before.append(part("", match.before));
  line.append(count, before, span, after);
  return line;
}

function part(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
