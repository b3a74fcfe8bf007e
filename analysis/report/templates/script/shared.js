// What every picture of a page follows: the moment under the cursor, the rank or link that was clicked, the filter.
// Times are microseconds of the run's own clock.
const shared = { at: null, rank: -1, link: "", words: [], listeners: [] };
const follow = (listener) => shared.listeners.push(listener);
const tell = (what) => shared.listeners.forEach((listener) => listener(what));
const pointAt = (at, from) => { shared.at = at; tell(from); };

const choose = (what, value) => {
  const same = shared[what] === value;
  shared.rank = -1;
  shared.link = "";
  if (!same) shared[what] = value;
  for (const marked of document.querySelectorAll("[data-rank], [data-link]")) {
    const isRank = shared.rank >= 0 && marked.dataset.rank === String(shared.rank);
    const isLink = shared.link !== "" && marked.dataset.link === shared.link;
    marked.classList.toggle("chosen", isRank || isLink);
  }
  tell("choice");
};
document.addEventListener("click", (event) => {
  const marked = event.target.closest("[data-rank], [data-link]");
  if (!marked || event.target.closest("a, summary")) return;
  if (marked.dataset.rank !== undefined) choose("rank", Number(marked.dataset.rank));
  else choose("link", marked.dataset.link);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && (shared.rank >= 0 || shared.link)) choose("rank", -1);
});

// A filter is words that must all be found in a rank's number, name, GPU or campus.
const matches = (lane) => {
  const said = `rank ${lane.rank} ${lane.rank} ${lane.name} ${lane.accelerator} ${lane.campus}`.toLowerCase().split(" ");
  return shared.words.every((word) => said.some((one) => (isNaN(word) ? one.includes(word) : one === word)));
};
const filterBox = (lanes) => {
  const said = element("output", { className: "count" });
  const box = element("input", { type: "search", placeholder: "campus, GPU, host or rank", size: 22 });
  box.setAttribute("aria-label", "Show only ranks of this campus, GPU, host or number");
  const known = new Map(lanes.map((lane) => [String(lane.rank), lane]));
  box.addEventListener("input", () => {
    shared.words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = lanes.filter(matches);
    said.textContent = shared.words.length ? `${shown.length} of ${counted(lanes.length, "rank")}` : "";
    for (const marked of document.querySelectorAll("[data-rank]")) {
      const lane = known.get(marked.dataset.rank);
      marked.classList.toggle("filtered", Boolean(lane) && !matches(lane));
    }
    tell("filter");
  });
  return element("label", { className: "filter" }, "Show ", box, said);
};
