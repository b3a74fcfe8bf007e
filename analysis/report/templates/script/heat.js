// Rank by rank: a canvas of cells, dark where much; rows wait or send, columns are waited for or receive.
const heat = (figure) => {
  const data = stored(figure.querySelector("script.heat"));
  const ranks = data.ranks.map(([rank, name, campus, accelerator]) => ({ rank, name, campus, accelerator }));
  const says = {
    waited: (a, b, us) => `rank ${a.rank} · ${a.name} waited ${time(us)} per iteration for rank ${b.rank} · ${b.name}`,
    sent: (a, b, us) => (us ? `messages from rank ${a.rank} · ${a.name} to rank ${b.rank} · ${b.name} took ${time(us)} (p50)` : `rank ${a.rank} sends nothing to rank ${b.rank}`),
  };
  let what = "waited", at = null;
  const stage = element("div", { className: "stage" }), canvas = element("canvas"), said = element("output", { className: "reading" });
  const gutter = 56;
  const cell = () => Math.max(2, Math.min(24, Math.floor((stage.clientWidth - gutter) / ranks.length)));
  const draw = () => {
    const size = cell(), context = fitted(canvas, stage.clientWidth, ranks.length * size + 20), style = getComputedStyle(root);
    const most = Math.max(...data[what].map((row) => Math.max(...row)), 1);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    ranks.forEach((row, i) => {
      ranks.forEach((_, j) => {
        context.fillStyle = style.getPropertyValue("--grid");
        context.globalAlpha = 1;
        context.fillRect(gutter + j * size, 18 + i * size, size - (size > 4), size - (size > 4));
        context.fillStyle = style.getPropertyValue(what === "waited" ? "--wait" : "--transfer");
        context.globalAlpha = Math.sqrt(data[what][i][j] / most);
        context.fillRect(gutter + j * size, 18 + i * size, size - (size > 4), size - (size > 4));
      });
      context.globalAlpha = 1;
      context.fillStyle = style.getPropertyValue(row.rank === shared.rank ? "--link" : "--soft");
      const begins = !i || ranks[i - 1].campus !== row.campus;
      context.textAlign = "right";
      if (size >= 11 || begins) context.fillText(size >= 11 ? row.rank : row.campus, gutter - 6, 18 + (i + 0.5) * size);
      context.textAlign = "left";
      if (begins) context.fillText(row.campus, gutter + i * size, 8);
    });
    const mark = (i, j) => { context.strokeStyle = style.getPropertyValue("--ink"); context.strokeRect(gutter + j * size - 0.5, 18 + i * size - 0.5, size, size); };
    if (at) mark(...at);
    const own = ranks.findIndex((one) => one.rank === shared.rank);
    if (own < 0) return;
    context.strokeStyle = style.getPropertyValue("--link");
    context.lineWidth = 2;
    context.strokeRect(gutter, 18 + own * size, ranks.length * size, size);
    context.strokeRect(gutter + own * size, 18, size, ranks.length * size);
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect(), size = cell();
    const i = Math.floor((event.clientY - box.top - 18) / size), j = Math.floor((event.clientX - box.left - gutter) / size);
    return i >= 0 && j >= 0 && i < ranks.length && j < ranks.length ? [i, j] : null;
  };
  canvas.addEventListener("pointermove", (event) => {
    at = place(event);
    said.textContent = at ? says[what](ranks[at[0]], ranks[at[1]], data[what][at[0]][at[1]]) : "";
    draw();
  });
  canvas.addEventListener("click", (event) => { const found = place(event); if (found) choose("rank", ranks[found[what === "waited" ? 1 : 0]].rank); });
  follow((news) => { if (news === "choice") draw(); });
  redraws.push(draw);
  const pick = element("select");
  pick.setAttribute("aria-label", "What the cells show");
  pick.append(element("option", { value: "waited" }, "who waited (row) for whom (column)"), element("option", { value: "sent" }, "how long messages took from row to column"));
  pick.addEventListener("change", () => { what = pick.value; draw(); });
  stage.append(canvas);
  figure.querySelector(".interactive").append(element("div", { className: "tools" }, pick, said), stage);
  figure.querySelector(".interactive").hidden = false;
  new ResizeObserver(draw).observe(stage);
  draw();
};
document.querySelectorAll("[data-heat]").forEach(heat);
