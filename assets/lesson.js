// What a lesson needs of the browser: ticks and score are kept here, arrow keys go through the steps, and what a step
// is about is scrolled into view.
const KEY = "rnn-playground-lessons";
const BUSY = // whoever is in one of these means the arrow keys for it
  "input, textarea, select, [contenteditable], [role=slider], [role=tab], [role=radio], [role=radiogroup], " +
  "[role=listbox], [role=option], [role=combobox], [role=menu], [role=menuitem], [role=grid], [role=gridcell], " +
  "[role=dialog], [data-testid=stDataFrame], .boxed, .js-plotly-plot";
const PATIENCE = 40; // looks, a quarter of a second apart, for a figure that is still to come

export default function ({ data, parentElement, setStateValue }) {
  keep(data, parentElement, setStateValue);
  const pressed = (event) => onKey(event);
  document.removeEventListener("keydown", document.lessonKeys); // of the page before, or of this one's last run
  document.addEventListener("keydown", (document.lessonKeys = pressed));
  if (data.step && parentElement.shown !== data.step) {
    parentElement.shown = data.step;
    show(data.show);
  }
  return () => document.removeEventListener("keydown", pressed);
}

function keep(data, parentElement, setStateValue) {
  let kept;
  try {
    kept = localStorage.getItem(KEY) ?? "";
    const joined = join(kept, data.progress);
    if (joined !== kept && joined !== data.nothing) {
      localStorage.setItem(KEY, joined);
    }
    kept = joined;
  } catch (error) {
    return; // no storage, as in some private windows: the ticks last as long as the session
  }
  if (kept !== data.progress && parentElement.sent !== kept) {
    parentElement.sent = kept;
    setStateValue("kept", kept);
  }
}

// In the very form of Progress.to_json: names and numbers in order.
function join(kept, now) {
  let a = {};
  try {
    a = JSON.parse(kept) ?? {};
  } catch (error) {
    // the first visit, or not ours
  }
  const b = JSON.parse(now);
  const done = {};
  const answers = {};
  for (const name of names(a.done, b.done)) {
    done[name] = [...new Set([...(a.done?.[name] ?? []), ...(b.done?.[name] ?? [])])].sort((x, y) => x - y);
  }
  for (const name of names(a.answers, b.answers)) {
    answers[name] = { ...b.answers?.[name], ...a.answers?.[name] }; // whole numbers as names stand in order by themselves
  }
  return JSON.stringify({ answers, done });
}

function names(...tables) {
  return [...new Set(tables.flatMap((table) => Object.keys(table ?? {})))].sort();
}

function onKey(event) {
  const to = { ArrowRight: "lesson_next", ArrowLeft: "lesson_back" }[event.key];
  if (!to || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.composedPath().some((node) => node instanceof Element && node.matches(BUSY))) return;
  const button = [...document.querySelectorAll(`.st-key-${to} button`)].find((one) => one.offsetParent); // one is hidden
  if (button && !button.disabled) {
    event.preventDefault();
    button.click();
  }
}

// The last of what is outlined is the figure. The page moves only as far as it must and the first one, a control
// perhaps, stays in sight; it does not move once the visitor has moved it.
function show(keys) {
  const wanted = keys.at(-1);
  const page = document.querySelector("[data-testid=stMain]");
  if (!wanted || !page || innerWidth <= 640) return; // on a phone the text would be out of sight
  let looks = 0;
  let isMoved = false;
  const moved = () => (isMoved = true);
  for (const name of ["wheel", "touchmove", "pointerdown"]) page.addEventListener(name, moved, { once: true });
  const timer = setInterval(() => {
    looks += 1;
    const figure = document.querySelector(`.st-key-${wanted}`)?.getBoundingClientRect();
    if (!isMoved && figure?.height) {
      const panel = document.querySelector(".st-key-lesson")?.getBoundingClientRect();
      const top = 76 + (panel?.height ?? 0); // Streamlit's header and the panel
      const first = document.querySelector(`.st-key-${keys[0]}`)?.getBoundingClientRect() ?? figure;
      const by = Math.min(figure.bottom - innerHeight + 12, figure.top - top, first.top - top);
      if (by > 0 || first.top < top) page.scrollBy(0, by); // back, too: the panel grows when its question comes
    }
    if (isMoved || looks > PATIENCE) clearInterval(timer);
  }, 250);
}
