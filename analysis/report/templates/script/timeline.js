// A timeline: lanes, what crosses them, the network under them on the same axis; the cursor, keys and tools of all that.
const timeline = (figure) => {
  const data = stored(figure.querySelector("script.data"));
  const network = stored(figure.querySelector("script.network"));
  const crossings = stored(figure.querySelector("script.crossings")) ?? { messages: [], path: [], pairs: [] };
  const spans = data.packed.map(unpack);
  const length = Math.max(...data.marks.map((mark) => mark[2]), 1);
  const activity = figure.dataset.kinds === "activity";
  const kindColours = activity ? ["--compute", "--wait", "--transfer"] : ["--wait", "--transfer"];
  const bands = data.bands.map(([name, says, start, end, row, struck]) => ({ name, says, start, end, row, struck }));
  const lay = { bandTop: data.marks.length > 1 ? 36 : 20, bandRow: 15 };
  lay.top = lay.bandTop + 4 + lay.bandRow * (bands.length ? Math.max(...bands.map((band) => band.row)) + 1 : 0);
  let shown = [], places = new Map(), chosen = -1, pointed = null, track = -1, withPath = crossings.path.length > 0;
  const seenAs = () => {
    shown = data.lanes.map((_, index) => index).filter((index) => matches(data.lanes[index]));
    places = new Map(shown.map((index, place) => [data.lanes[index].rank, place]));
    lay.rowHeight = Math.max(3, Math.min(18, Math.floor(620 / Math.max(shown.length, 1))));
    lay.lanes = lay.top + lay.rowHeight * shown.length;
    lay.height = lay.lanes + tracksHeight(network);
  };
  seenAs();
  const yOf = (rank) => (places.has(rank) ? lay.top + lay.rowHeight * (places.get(rank) + 0.5) : undefined);
  const yOfLane = (index) => { const place = shown.indexOf(index); return place < 0 ? undefined : lay.top + lay.rowHeight * place; };

  const stage = element("div", { className: "stage", tabIndex: 0 });
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", `${figure.querySelector("h3").textContent}: ${data.lanes.length} lanes over ${time(length)}${network ? `, and ${network.tracks.length} tracks of the network below them` : ""}. Keys: W and S zoom, A and D move, up and down choose a lane, left and right a span, Enter marks the rank everywhere, 0 shows all${bands.length ? `, E the next of ${bands.length} events` : ""}.`);
  const canvas = element("canvas"), below = element("canvas"), over = element("canvas", { className: "over" });
  const cursor = element("div", { className: "cursor", hidden: true });
  const tip = element("div", { className: "tip", hidden: true });
  tip.setAttribute("role", "status");
  stage.append(canvas, below, over, cursor, tip);
  const axis = makeAxis(stage, length);

  const draw = () => {
    const style = getComputedStyle(root), context = fitted(canvas, stage.clientWidth, lay.lanes);
    const infos = shown.map((index) => data.lanes[index]);
    const colours = kindColours.map((name) => rgb(style.getPropertyValue(name)));
    drawSpans(context, axis, shown.map((index) => spans[index]), lay.rowHeight, lay.top, colours, rgb(style.getPropertyValue("--card")));
    drawLabels(context, style, axis, infos, lay.rowHeight, lay.top, chosen);
    drawAxis(context, style, axis, data.marks, lay.top, lay.lanes);
    drawBands(context, style, axis, bands, lay, yOfLane, lay.lanes);
    if (withPath) {
      context.save();
      context.beginPath(); context.rect(axis.gutter(), lay.top, axis.width(), lay.lanes - lay.top); context.clip();
      drawLines(context, style, pathLines(axis, crossings.path, yOf));
      context.restore();
    }
    below.hidden = !network;
    if (network) drawTracks(fitted(below, stage.clientWidth, tracksHeight(network)), style, axis, network);
    drawOver();
  };
  axis.draw = draw;
  redraws.push(draw);

  // What follows the cursor: arrows of the messages that are under way for the rank or link that is meant, and readings.
  const atCursor = () => (shared.at === null ? null : shared.at - data.origin);
  const campus = new Map(data.lanes.map((lane) => [lane.rank, lane.campus]));
  const crossing = (ends) => {
    const pairs = new Set(ends.flatMap((one) => one.pairs.map((pair) => pair.join("\n"))));
    return (src, dst) => pairs.has(`${campus.get(src)}\n${campus.get(dst)}`);
  };
  const wanted = (t) => {
    const rank = pointed ? data.lanes[pointed.lane].rank : shared.rank;
    if (rank >= 0 && track < 0) return (src, dst, sent, received) => sent <= t && t <= received && (src === rank || dst === rank);
    const ends = track >= 0 ? [network.tracks[track]] : (network?.tracks ?? []).filter((one) => one.link && one.link === shared.link);
    if (!ends.length) return null;
    const over = crossing(ends);
    return (src, dst, sent, received) => sent <= t && t <= received && over(src, dst);
  };
  const drawOver = () => {
    const style = getComputedStyle(root), context = fitted(over, stage.clientWidth, lay.height), t = atCursor();
    if (network) drawTrackLabels(context, style, axis, network, lay.lanes, t !== null && axis.sees(t) ? t : null);
    if (shared.rank >= 0 && places.has(shared.rank)) {
      context.strokeStyle = style.getPropertyValue("--link");
      context.lineWidth = 2;
      context.strokeRect(2, yOf(shared.rank) - lay.rowHeight / 2, stage.clientWidth - 4, lay.rowHeight);
      context.lineWidth = 1;
    }
    const want = t !== null && axis.sees(t) ? wanted(t) : null;
    if (want) {
      context.save();
      context.beginPath(); context.rect(axis.gutter(), lay.top, axis.width(), lay.lanes - lay.top); context.clip();
      const lines = messageLines(axis, crossings.messages, yOf, want);
      drawLines(context, style, lines);
      drawHeads(context, style, lines);
      context.restore();
    }
    const x = t === null ? -1 : axis.x(t);
    cursor.hidden = t === null || x < axis.gutter() || x > stage.clientWidth;
    cursor.style.left = `${x}px`;
  };

  const showTip = (x, y, lines, underLane) => {
    tip.hidden = false;
    tip.replaceChildren(...lines);
    const left = Math.min(Math.max(x + 12, 0), stage.clientWidth - tip.offsetWidth - 4);
    tip.style.left = `${x + 12 > left ? Math.max(0, x - tip.offsetWidth - 12) : left}px`;
    tip.style.top = `${y + tip.offsetHeight > lay.height ? y - tip.offsetHeight - underLane - 16 : y}px`;
  };
  const point = (lane, span, t) => {
    pointed = { lane, span, t };
    track = -1;
    pointAt(t + data.origin, figure);
    drawOver();
    const info = data.lanes[lane], own = spans[lane];
    tip.hidden = !axis.sees(t);
    if (tip.hidden) return;
    const lines = [element("b", {}, `rank ${info.rank} · ${info.name}`), element("div", {}, `${info.accelerator}, ${info.campus}`)];
    if (span >= 0) {
      const [label, , , last] = data.marks[own.mark[span]] ?? [];
      const other = activity ? own.kind[span] === 1 && last && `last to enter: rank ${last}` : info.from && `message from rank ${info.from}`;
      lines.push(element("div", {}, element("b", {}, `${data.kinds[own.kind[span]]} ${time(own.end[span] - own.start[span])}`)));
      lines.push(element("div", {}, `from ${time(own.start[span])} to ${time(own.end[span])}${label === undefined ? "" : `, iteration ${label}`}`));
      if (other) lines.push(element("div", {}, other));
    } else lines.push(element("div", {}, `nothing recorded at ${time(t)}`));
    showTip(axis.x(t), lay.top + lay.rowHeight * (shown.indexOf(lane) + 1) + 8, lines, lay.rowHeight);
  };
  const pointTrack = (index, t) => {
    pointed = null;
    track = index < network.tracks.length ? index : -1;
    pointAt(t + data.origin, figure);
    drawOver();
    const name = new Map(data.lanes.map((lane) => [lane.rank, `rank ${lane.rank} · ${lane.name}`]));
    const lines = track >= 0
      ? [element("b", {}, network.tracks[index].name), ...trackSays(network, network.tracks[index], t).map((said) => element("div", {}, said))]
      : [element("b", {}, "Sent again by TCP")];
    const over = track >= 0 && network.tracks[index].link ? crossing([network.tracks[index]]) : () => true;
    const again = againAt(network, t).filter(([, , src, dst]) => over(src, dst));
    for (const [, , src, dst, packets] of again.slice(0, 6)) lines.push(element("div", {}, `${name.get(src)} → ${name.get(dst) ?? "?"}: ${counted(packets, "packet")} sent again`));
    if (again.length > 6) lines.push(element("div", {}, `and ${again.length - 6} connections more`));
    showTip(axis.x(t), lay.lanes + GAP + index * TRACK + TRACK, lines, TRACK);
  };
  const leave = () => { pointed = null; track = -1; tip.hidden = true; drawOver(); };
  const showBand = (band) => {
    leave();
    const lines = [element("b", {}, band.name), element("div", {}, band.says), element("div", {}, `from ${time(band.start)} to ${time(band.end)}`)];
    showTip(Math.max(axis.x(band.start), axis.gutter()) - 12, lay.top + 6, lines, 0);
  };
  let chosenBand = -1;
  const chooseBand = () => {
    if (!bands.length) return;
    const band = bands[chosenBand = (chosenBand + 1) % bands.length];
    axis.reach((band.start + band.end) / 2);
    showBand(band);
  };
  const laneAt = (y) => (y < lay.top || y >= lay.lanes ? -1 : shown[Math.floor((y - lay.top) / lay.rowHeight)] ?? -1);
  const over_ = (x, y) => {
    const inside = x >= axis.gutter(), lane = laneAt(y), under = network && y >= lay.lanes + GAP ? trackAt(network, y - lay.lanes) : -1;
    const band = bands.find((one) => y >= lay.bandTop && y < lay.top && Math.floor((y - lay.bandTop) / lay.bandRow) === one.row && x >= axis.x(one.start) - 3 && x <= Math.max(axis.x(one.end), axis.x(one.start) + 2) + 3);
    if (band && inside) showBand(band);
    else if (inside && lane >= 0) point(lane, spanAt(spans[lane], axis.t(x)), axis.t(x));
    else if (inside && under >= 0 && under <= network.tracks.length) pointTrack(under, axis.t(x));
    else leave();
  };
  const click = (x, y) => {
    const lane = laneAt(y), under = network && y >= lay.lanes + GAP ? network.tracks[trackAt(network, y - lay.lanes)] : null;
    if (lane >= 0) choose("rank", data.lanes[lane].rank);
    else if (under?.link) choose("link", under.link);
    over_(x, y);
  };
  const chooseSpan = (step) => {
    if (chosen < 0) chosen = 0;
    const own = spans[shown[chosen]];
    if (!own?.start.length) return;
    const now = pointed?.lane === shown[chosen] && pointed.span >= 0 ? pointed.span + step : firstAfter(own, axis.from);
    const next = Math.min(Math.max(now, 0), own.start.length - 1), middle = (own.start[next] + own.end[next]) / 2;
    axis.reach(middle);
    point(shown[chosen], next, middle);
    axis.schedule();
  };
  const chooseLane = (step) => {
    chosen = Math.min(Math.max(chosen + step, 0), shown.length - 1);
    const t = pointed ? pointed.t : (axis.from + axis.to) / 2;
    if (shown.length) point(shown[chosen], spanAt(spans[shown[chosen]], t), t);
    axis.schedule();
  };
  const keys = {
    w: () => axis.zoom(0.6), "+": () => axis.zoom(0.6), "=": () => axis.zoom(0.6), s: () => axis.zoom(1 / 0.6), "-": () => axis.zoom(1 / 0.6),
    a: () => axis.pan(-0.25), d: () => axis.pan(0.25), 0: axis.all, Home: axis.all, Escape: () => { leave(); if (shared.rank >= 0) choose("rank", shared.rank); else if (shared.link) choose("link", shared.link); }, e: chooseBand,
    ArrowUp: () => chooseLane(-1), ArrowDown: () => chooseLane(1), ArrowLeft: () => chooseSpan(-1), ArrowRight: () => chooseSpan(1),
    Enter: () => chosen >= 0 && choose("rank", data.lanes[shown[chosen]].rank),
  };
  moveBy(stage, axis, { over: over_, click, leave, keys });
  follow((what) => {
    if (what === "filter") { seenAs(); chosen = -1; axis.schedule(); }
    else if (what === "choice") axis.schedule();
    else if (what !== figure) { if (what === "slider" && shared.at !== null && activity) axis.reach(Math.min(Math.max(atCursor(), 0), length)); drawOver(); }
  });

  const tools = element("div", { className: "tools" },
    press("+", "Zoom in (W)", () => axis.zoom(0.6)), press("−", "Zoom out (S)", () => axis.zoom(1 / 0.6)),
    press("←", "Earlier (A)", () => axis.pan(-0.4)), press("→", "Later (D)", () => axis.pan(0.4)), press("All", "Show all (0)", axis.all));
  if (data.marks.length > 1) {
    const by = [...data.marks].sort((a, b) => a[2] - a[1] - (b[2] - b[1]));
    const show = ([, begin, end]) => axis.look(begin - (end - begin) * 0.02, end + (end - begin) * 0.02);
    tools.append(press("Median iteration", "Show the iteration of median duration", () => show(by[(by.length - 1) >> 1])),
      press("Slowest iteration", "Show the slowest iteration", () => show(by[by.length - 1])));
  }
  if (crossings.path.length) {
    const box = element("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { withPath = box.checked; axis.schedule(); });
    tools.append(element("label", { title: "What each iteration's time is made of" }, box, " critical path"));
  }
  if (activity) tools.append(filterBox(data.lanes));
  tools.append(element("span", { className: "hint" }, "Ctrl + wheel zooms (click it first: wheel alone) · drag moves · click marks a rank or link everywhere · W S A D · arrows step" + (bands.length ? " · E next event" : "")));
  const holder = figure.querySelector(".interactive");
  holder.append(tools, stage);
  holder.hidden = false;
  if (data.marks.length > 4) axis.to = data.marks[Math.min(3, data.marks.length - 1)][2];
  new ResizeObserver(axis.schedule).observe(stage);
  draw();
};
document.querySelectorAll("[data-timeline]").forEach(timeline);
