// Elements from text: nothing on this page is ever parsed as HTML. A chat's words are hostile.

export function el(name, settings = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(settings)) {
    if (value === false || value === null || value === undefined) { continue; }
    if (key.startsWith("on")) { node.addEventListener(key.slice(2), value); }
    else if (key === "class") { node.className = value; }
    else { node.setAttribute(key, value === true ? "" : String(value)); }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return node;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

export function replace(node, ...children) {
  node.replaceChildren(...children.filter(Boolean).map(asNode));
}

// A button that gives the keyboard back to the page after a click: space and enter have meanings of their own there.
export function button(label, run, settings = {}) {
  const node = el("button", { type: "button", ...settings }, label);
  node.addEventListener("click", (event) => { if (event.detail > 0) { node.blur(); } run(event); });
  return node;
}

export const codePoints = (text) => Array.from(text);
