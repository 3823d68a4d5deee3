"use strict";
(() => {
  const pictures = JSON.parse(document.getElementById("pictures").textContent);
  const show = (details) => {
    for (const img of details.querySelectorAll("img[data-key]")) {
      const source = pictures[img.dataset.key];
      if (source) { img.src = source; }
      img.removeAttribute("data-key");
    }
  };
  const all = Array.from(document.querySelectorAll("#queries > details"));
  for (const details of all) {
    details.addEventListener("toggle", () => { if (details.open) { show(details); } });
  }
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const words = shown.textContent.replace(/^\d+/, "");
  const filter = () => {
    let count = 0;
    for (const details of all) {
      const fits = (!form.outcome.value || details.dataset.outcome === form.outcome.value) &&
        (!form.kind.value || details.dataset.kind === form.kind.value);
      details.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = count + words;
  };
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (all.length) { all[0].open = true; show(all[0]); }
})();
