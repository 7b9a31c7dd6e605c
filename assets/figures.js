// The figures of the page, each with buttons that save it. Titles become text nodes only.
//
// Pictures come from Plotly itself: the button in the figure's corner, told another format. Other files come from
// the server, which is asked for them by the figure's key.
const KINDS = ["PNG", "SVG", "HTML", "CSV"];
const LOOK = 1000; // milliseconds: figures come and go, and titles say something new
const GONE = 900; // milliseconds: one that is missing for less is being replaced

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".figures");
  const state = (root.state ??= { rows: new Map() });
  state.ask = (key, kind) => setTriggerValue("wanted", { key, kind, number: String(Date.now()) });
  // The server sends a file several times, so that none is lost between two runs of the page.
  if (data.file && data.file.number !== globalThis.rnnPlaygroundSaved) {
    globalThis.rnnPlaygroundSaved = data.file.number;
    download(data.file);
  }
  list(root, state);
  clearInterval(state.timer);
  state.timer = setInterval(() => root.checkVisibility() && list(root, state), LOOK);
  return () => clearInterval(state.timer);
}

// Rows stay as long as their figures do, so that a button keeps the focus and a click is not lost.
function list(root, state) {
  const found = new Map();
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    const key = /st-key-(\S+)/.exec(plot.closest("[class*=st-key-]")?.className)?.[1];
    if (key && plot.checkVisibility()) found.set(key, plot); // one that is being replaced is there twice
  }
  const now = Date.now();
  let isChanging = false;
  for (const [key, row] of state.rows) {
    row.gone = found.has(key) ? null : (row.gone ?? now);
    if (row.gone !== null && now - row.gone > GONE) {
      row.remove();
      state.rows.delete(key);
    } else if (row.gone !== null) {
      isChanging = true;
    }
  }
  for (const [key, plot] of found) {
    if (!state.rows.has(key)) state.rows.set(key, build(key, state));
    const row = state.rows.get(key);
    row.plot = plot;
    name(row, title(plot) || key);
  }
  const rows = [...found.keys()].map((key) => state.rows.get(key));
  if (!isChanging && rows.some((row, i) => root.children[i] !== row)) root.replaceChildren(...rows);
}

function build(key, state) {
  const row = document.createElement("li");
  const buttons = document.createElement("div");
  row.append(document.createElement("span"), buttons);
  for (const kind of KINDS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.onclick = () => (kind === "PNG" || kind === "SVG" ? picture(row.plot, kind) : state.ask(key, kind));
    buttons.append(button);
  }
  return row;
}

function name(row, said) {
  const [words, buttons] = row.children;
  if (words.textContent === said) return;
  words.textContent = said;
  for (const button of buttons.children) button.setAttribute("aria-label", `${button.textContent} of ${said}`);
}

function title(plot) {
  const said = (plot.layout?.title?.text ?? "").replaceAll("<br>", " ");
  return new DOMParser().parseFromString(said, "text/html").body.textContent;
}

function picture(plot, kind) {
  const usual = plot._context.toImageButtonOptions;
  const scale = kind === "SVG" ? 1 : usual.scale;
  plot._context.toImageButtonOptions = { ...usual, format: kind.toLowerCase(), scale };
  plot.querySelector(".modebar-btn").click();
  plot._context.toImageButtonOptions = usual;
}

function download({ name, type, content }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
