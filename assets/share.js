// A link to this page as it is: to copy, and as a QR code. The browser knows the address that the visitor sees, also
// behind a proxy, so it tells the server, which makes the code. Nothing is put into the page but text and one path.
const PLACES = `[data-testid=stMain] :is(.stElementContainer[class*="st-key-"],
  .stLayoutWrapper[class*="st-key-"]:has(> .stExpander))`;
const SVG = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".share");
  const link = root.querySelector("input");
  const status = root.querySelector(".status");
  const large = root.querySelector("dialog");

  const page = { url: location.href, controls: controls() };
  const told = JSON.stringify(page);
  if (root.told !== told) {
    root.told = told;
    setStateValue("page", page);
  }
  if (root.link !== data.link) {
    root.link = data.link;
    link.value = data.link;
    status.textContent = "";
    large.querySelector("p").textContent = data.link;
    for (const place of root.querySelectorAll(".code")) {
      place.replaceChildren(...(data.path ? [picture(data)] : []));
    }
  }
  root.querySelector(".show").hidden = !data.path;

  root.querySelector(".copy").onclick = async () => {
    status.textContent = (await copied(link)) ? "Copied." : "Press Ctrl+C or ⌘C to copy it.";
  };
  root.querySelector(".show").onclick = () => large.showModal();
  large.onclick = () => large.close();
}

// Browsers give the clipboard to pages over https (or of this computer) only; selecting and copying works everywhere.
async function copied(link) {
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

function picture({ path, size }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "The link as a QR code");
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", path);
  svg.append(dark);
  return svg;
}

// What can be set on the page, by the names that stand beside it.
function controls() {
  const found = new Map();
  for (const place of document.querySelectorAll(PLACES)) {
    const key = [...place.classList].find((name) => name.startsWith("st-key-")).slice("st-key-".length);
    const button = place.querySelector("button");
    const named = place.querySelector("[data-testid=stWidgetLabel]") ?? place.querySelector("label, [aria-label]");
    const folded = place.querySelector("summary");
    const isControl = place.querySelector("input, textarea, [role=slider], [role=radio]") || button;
    if (isControl && !place.querySelector(".js-plotly-plot, [data-testid=stDataFrame]")) {
      found.set(key, folded ? words(folded) : words(named ?? button) || words(button ?? place));
    }
  }
  return [...found].filter(([, label]) => label);
}

function words(place) {
  const copy = place.cloneNode(true);
  copy.querySelectorAll("[data-testid=stIconMaterial], [data-testid=stTooltipIcon], svg").forEach((e) => e.remove());
  return (copy.textContent.trim() || place.getAttribute("aria-label") || "").slice(0, 60);
}
