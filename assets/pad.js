// An image of 8 x 8 cells to draw on: with a pointer, or with arrow keys and the space bar. Cells hold 0 (empty) to 16.
const SIDE = 8;
const FULL = 16;
const SETTLE = 250; // milliseconds without a stroke before the server is asked

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pad");
  const state = (root.state ??= { cells: [], values: [], at: 0, id: null, timer: 0 });
  if (!state.cells.length) {
    build(root, state);
  }
  root.setAttribute("aria-label", data.label);
  if (state.id !== data.id) {
    state.id = data.id;
    state.values = [...data.values];
    state.values.forEach((value, i) => paint(state.cells[i], value));
  }

  function ink(i, value) {
    state.values[i] = Math.max(0, Math.min(FULL, value));
    paint(state.cells[i], state.values[i]);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => setTriggerValue("drawn", [...state.values]), SETTLE);
  }
  // A stroke is as broad as those of the digits: full where the pointer is, half beside it.
  function stroke(i) {
    ink(i, FULL);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      const x = (i % SIDE) + dx;
      const y = Math.floor(i / SIDE) + dy;
      if (x >= 0 && x < SIDE && y >= 0 && y < SIDE) {
        const j = y * SIDE + x;
        ink(j, Math.max(state.values[j], data.soft));
      }
    }
  }
  function under(event) {
    const found = parentElement.elementFromPoint(event.clientX, event.clientY)?.dataset?.i;
    return found === undefined ? -1 : Number(found);
  }
  root.onpointerdown = (event) => {
    root.setPointerCapture(event.pointerId);
    state.last = under(event);
    if (state.last >= 0) stroke(state.last);
  };
  root.onpointermove = (event) => {
    if (!event.buttons) return;
    const i = under(event);
    if (i >= 0 && i !== state.last) stroke(i);
    state.last = i;
  };
  root.onkeydown = (event) => {
    const x = state.at % SIDE;
    const y = Math.floor(state.at / SIDE);
    const to = { ArrowRight: [x + 1, y], ArrowLeft: [x - 1, y], ArrowDown: [x, y + 1], ArrowUp: [x, y - 1] }[event.key];
    if (to && to.every((v) => v >= 0 && v < SIDE)) {
      go(state, to[1] * SIDE + to[0]);
    } else if (event.key === " " || event.key === "Enter") {
      ink(state.at, state.values[state.at] ? 0 : FULL);
    } else if (!to) {
      return;
    }
    event.preventDefault();
  };
}

function build(root, state) {
  for (let y = 0; y < SIDE; y++) {
    const row = document.createElement("div");
    row.setAttribute("role", "row");
    for (let x = 0; x < SIDE; x++) {
      const cell = document.createElement("div");
      cell.setAttribute("role", "gridcell");
      cell.dataset.i = y * SIDE + x;
      cell.tabIndex = x + y ? -1 : 0;
      state.cells.push(cell);
      row.append(cell);
    }
    root.append(row);
  }
}

function go(state, i) {
  state.cells[state.at].tabIndex = -1;
  state.at = i;
  state.cells[i].tabIndex = 0;
  state.cells[i].focus();
}

function paint(cell, value) {
  cell.style.setProperty("--ink", value / FULL);
  const i = Number(cell.dataset.i);
  cell.setAttribute("aria-label", `row ${Math.floor(i / SIDE) + 1}, column ${(i % SIDE) + 1}, ink ${value} of ${FULL}`);
}
