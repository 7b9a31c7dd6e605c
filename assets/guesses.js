// Under each character of a text the likeliest next ones, as columns that wrap like the text. Text nodes only.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".guesses");
  if (root.shown === data.id) return;
  root.shown = data.id;
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(...data.columns.map((column) => drawn(column, data.palette)));
}

function drawn([label, said, guesses], palette) {
  const column = document.createElement("div");
  column.setAttribute("role", "listitem");
  column.setAttribute("aria-label", said);
  column.title = said;
  column.append(cell(label, "read"));
  for (const [guess, level, isTrue] of guesses) {
    const place = cell(guess, isTrue ? "guess true" : "guess");
    [place.style.background, place.style.color] = palette[level];
    column.append(place);
  }
  return column;
}

function cell(label, kind) {
  const place = document.createElement("div");
  place.className = [...label].length > 1 ? `${kind} sign` : kind;
  place.textContent = label;
  return place;
}
