// Search by name, and how long ago a day was. Without this script the whole list of areas is there, and the browser's own
// search finds a name in it. It asks no server: the policy of every page forbids that.
"use strict";

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

const make = (tag, attributes, text) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
};

const makeBox = (place) => {
  const label = make("label", { for: "search-box" }, "Find an area by name or code");
  const box = make("input", { id: "search-box", type: "search", autocomplete: "off", spellcheck: "false" });
  place.append(label, box);
  return box;
};

/** The list of areas: hides what does not match, and says politely how many are left. */
const filterList = (place) => {
  const box = makeBox(place);
  const status = make("p", { role: "status", "aria-live": "polite", class: "search-status" });
  place.append(status);
  const lines = [...document.querySelectorAll("li[data-code]")].map((line) => ({
    line,
    code: line.dataset.code,
    text: ` ${fold([line.querySelector("a").textContent, line.dataset.code, line.dataset.names ?? ""].join(" "))}`,
  }));
  const groups = [...document.querySelectorAll("[data-group]")];
  const jumps = [...document.querySelectorAll("[data-jump]")];
  let waiting = 0;

  const show = () => {
    const wanted = fold(box.value).split(" ").filter(Boolean);
    const found = new Set();
    for (const { line, code, text } of lines) {
      // A word is matched from its beginning: "kent" is not in "Token Town".
      line.hidden = !wanted.every((word) => text.includes(` ${word}`));
      if (!line.hidden) found.add(code);
    }
    for (const group of groups) group.hidden = !group.querySelector("li[data-code]:not([hidden])");
    for (const jump of jumps) jump.hidden = wanted.length > 0;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const areas = found.size === 1 ? "1 area" : `${found.size} areas`;
      status.textContent = wanted.length ? `${found.size ? areas : "No area"} found.` : "";
    }, 250);
  };

  const take = () => {
    const asked = new URLSearchParams(location.hash.slice(1)).get("find");
    if (asked === null) return;
    box.value = asked;
    show();
    box.focus();
  };
  box.addEventListener("input", show);
  window.addEventListener("hashchange", take);
  take();
};

/** The entry on the overview: leads to the list, with what was typed. */
const leadToList = (place) => {
  const box = makeBox(place);
  const button = make("button", { type: "button" }, "Search");
  place.append(button);
  const go = () => {
    location.href = `${place.dataset.target}#find=${encodeURIComponent(box.value)}`;
  };
  button.addEventListener("click", go);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go();
  });
};

/** "30 January 2026" becomes "30 January 2026 (12 days ago)". */
const tellAges = () => {
  const day = 86_400_000;
  const now = new Date();
  const today = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate());
  for (const element of document.querySelectorAll("time[data-age]")) {
    const days = Math.round((today - Date.parse(element.dateTime)) / day);
    if (Number.isNaN(days)) continue;
    const count = Math.abs(days) === 1 ? "1 day" : `${Math.abs(days).toLocaleString("en-GB")} days`;
    const told = days === 0 ? "today" : days > 0 ? `${count} ago` : `in ${count}`;
    element.after(make("span", { class: "beside" }, ` (${told})`));
  }
};

const place = document.querySelector("[data-search]");
if (place) (place.dataset.search === "areas" ? filterList : leadToList)(place);
tellAges();
