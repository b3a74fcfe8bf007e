// What all pages share: the theme button, sortable tables, elements, quantities, colours.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const redraws = [];
const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const time = (us) => {
  const magnitude = Math.abs(us);
  const [unit, name] = magnitude >= 1e6 ? [1e6, "s"] : magnitude >= 1e3 ? [1e3, "ms"] : [1, "µs"];
  return `${Number((us / unit).toPrecision(4))} ${name}`;
};
const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
const stored = (node) => (node ? JSON.parse(node.textContent) : null);
const press = (label, title, act) => {
  const made = element("button", { type: "button", title }, label);
  made.addEventListener("click", act);
  return made;
};
const rgb = (text) => {
  const canvas = rgb.canvas ??= element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data;
};
const niceStep = (rough) => {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
};
// A canvas as large as its place on the screen, its units those of CSS, cleared.
const fitted = (canvas, width, height) => {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return context;
};

const button = document.getElementById("theme");
button.hidden = false;
button.addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  redraws.forEach((redraw) => redraw());
});
dark.addEventListener("change", () => redraws.forEach((redraw) => redraw()));
root.classList.add("scripted");

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("thead th")];
  heads.forEach((head, column) => {
    const sorter = element("button", { type: "button" }, head.textContent);
    head.replaceChildren(sorter);
    sorter.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const order = (a, b) => (isNaN(a) || isNaN(b) ? String(a).localeCompare(b) : a - b);
      const rows = [...table.tBodies[0].rows].sort((a, b) => order(value(a), value(b)));
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    });
  });
}
