// A text whose characters are painted by a number and can be picked, by click or by arrow keys. What is shown comes in
// as data and becomes text nodes only: it may be anything that a model has written.
const SETTLE = 120; // milliseconds: held arrow keys ask the server once

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".text");
  const state = (root.state ??= { shown: null, picked: -1, timer: 0 });
  root.setAttribute("role", data.labels.length ? "listbox" : "note"); // a list box has something to choose from
  root.setAttribute("aria-label", data.label);
  root.style.maxHeight = data.height;
  if (state.shown !== data.id) {
    const sets = { breaks: new Set(data.breaks), by_hand: new Set(data.by_hand), below: new Set(data.below) };
    root.replaceChildren(prime(data), ...data.labels.flatMap((label, i) => character(data, sets, label, i)));
    root.scrollTop = 0;
    state.shown = data.id;
    clearTimeout(state.timer);
    state.timer = 0;
  }
  const options = root.querySelectorAll("[role=option]");

  function mark(i) {
    options[state.picked]?.setAttribute("aria-selected", "false");
    state.picked = Math.max(0, Math.min(i, options.length - 1));
    const option = options[state.picked];
    option?.setAttribute("aria-selected", "true");
    if (option) {
      root.setAttribute("aria-activedescendant", option.id);
      show(root, option);
    }
  }
  function pick(i) {
    mark(i);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => {
      state.timer = 0;
      setTriggerValue("picked", state.picked);
    }, SETTLE);
  }
  if (!state.timer) {
    mark(data.picked);
  }
  root.onclick = (event) => {
    const i = Number(event.target.closest("[role=option]")?.dataset.i ?? -1);
    if (i >= 0) {
      pick(i);
    }
  };
  root.onkeydown = (event) => {
    const to = {
      ArrowRight: state.picked + 1, ArrowLeft: state.picked - 1, Home: 0, End: options.length - 1,
      ArrowDown: inLine(options, state.picked, 1), ArrowUp: inLine(options, state.picked, -1),
    }[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      pick(to);
    }
  };
}

function prime(data) {
  const span = document.createElement("span");
  span.className = "prime";
  span.textContent = data.prime;
  return span;
}

function character(data, sets, label, i) {
  const span = document.createElement("span");
  const [background, colour] = data.palette[data.levels[i]];
  const isBreak = sets.breaks.has(i);
  span.id = `c${i}`;
  span.dataset.i = i;
  span.textContent = label;
  span.setAttribute("role", "option");
  span.setAttribute("aria-selected", "false");
  span.title = data.names[i] + data.unit;
  span.setAttribute("aria-label", label + ", " + span.title);
  span.style.background = background;
  span.style.color = colour;
  span.classList.toggle("chosen", sets.by_hand.has(i));
  span.classList.toggle("below", sets.below.has(i));
  span.classList.toggle("sign", isBreak || [...label].length > 1);
  return isBreak ? [span, document.createElement("br")] : [span];
}

function show(root, option) {
  const above = option.offsetTop - root.scrollTop;
  if (above < 0 || above + option.offsetHeight > root.clientHeight) {
    root.scrollTop = option.offsetTop - root.clientHeight / 2;
  }
}

// The character above or below: the nearest one of the line that comes next in this direction.
function inLine(options, from, direction) {
  const { offsetTop: top, offsetLeft: left } = options[from] ?? {};
  let best = from;
  let line = null;
  for (let i = from + direction; i >= 0 && i < options.length; i += direction) {
    const { offsetTop, offsetLeft } = options[i];
    if (offsetTop === top) continue;
    line ??= offsetTop;
    if (offsetTop !== line) break;
    if (best === from || Math.abs(offsetLeft - left) < Math.abs(options[best].offsetLeft - left)) {
      best = i;
    }
  }
  return best;
}
