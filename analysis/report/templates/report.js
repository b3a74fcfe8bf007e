"use strict";
// The theme button, sortable tables, and the timelines. Everything is readable without this script.
(() => {
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

  // Theme
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    root.dataset.theme = isDark ? "light" : "dark";
    redraws.forEach((redraw) => redraw());
  });
  dark.addEventListener("change", () => redraws.forEach((redraw) => redraw()));
  root.classList.add("scripted");

  // Tables
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.querySelectorAll("thead th")];
    heads.forEach((head, column) => {
      const press = element("button", { type: "button" }, head.textContent);
      head.replaceChildren(press);
      press.addEventListener("click", () => {
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

  // A lane's spans, from differences: starts, ends, kinds and marks as typed arrays.
  const unpack = (packed) => {
    const count = packed.length / 3;
    // `reach` is the latest end so far: it ascends even where spans overlap, so it can be searched.
    const lane = { reach: new Float64Array(count), start: new Float64Array(count), end: new Float64Array(count), kind: new Uint8Array(count), mark: new Int32Array(count) };
    let at = 0, mark = 0;
    for (let i = 0; i < count; i++) {
      lane.start[i] = at + packed[3 * i];
      at = lane.end[i] = lane.start[i] + packed[3 * i + 1];
      lane.reach[i] = Math.max(at, i ? lane.reach[i - 1] : 0);
      const code = packed[3 * i + 2];
      lane.kind[i] = ((code % 4) + 4) % 4;
      lane.mark[i] = mark += Math.floor(code / 4);
    }
    return lane;
  };
  // The first span that can still be open after t.
  const firstAfter = (lane, t) => {
    let low = 0, high = lane.reach.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lane.reach[middle] <= t) low = middle + 1; else high = middle;
    }
    return low;
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

  const timeline = (figure) => {
    const data = JSON.parse(figure.querySelector("script.data").textContent);
    const lanes = data.packed.map(unpack);
    const length = Math.max(...data.marks.map((mark) => mark[2]), 1);
    const kindColours = figure.dataset.kinds === "activity" ? ["--compute", "--wait", "--transfer"] : ["--wait", "--transfer"];
    const rowHeight = Math.max(3, Math.min(18, Math.floor(620 / lanes.length)));
    const bands = data.bands.map(([name, says, start, end, row, struck]) => ({ name, says, start, end, row, struck }));
    const bandTop = data.marks.length > 1 ? 36 : 20, bandRow = 15;
    const top = bandTop + 4 + bandRow * (bands.length ? Math.max(...bands.map((band) => band.row)) + 1 : 0);
    const height = top + rowHeight * lanes.length;
    const gutter = () => (stage.clientWidth < 560 ? 84 : 168);
    let from = 0, to = length, chosen = -1, pointed = null;

    const stage = element("div", { className: "stage", tabIndex: 0 });
    stage.setAttribute("role", "application");
    stage.setAttribute("aria-label", `${figure.querySelector("h3").textContent}: ${lanes.length} lanes over ${time(length)}. Keys: W and S zoom, A and D move, up and down choose a lane, left and right a span, 0 shows all${bands.length ? `, E the next of ${bands.length} events` : ""}.`);
    const canvas = element("canvas");
    const cursor = element("div", { className: "cursor", hidden: true });
    const tip = element("div", { className: "tip", hidden: true });
    tip.setAttribute("role", "status");
    stage.append(canvas, cursor, tip);

    const plotWidth = () => stage.clientWidth - gutter();
    const xOf = (t) => gutter() + ((t - from) / (to - from)) * plotWidth();
    const tOf = (x) => from + ((x - gutter()) / plotWidth()) * (to - from);
    const look = (begin, end) => {
      const span = Math.min(Math.max(end - begin, 20), length);
      from = Math.min(Math.max(begin, 0), length - span);
      to = from + span;
      schedule();
    };
    const zoom = (factor, around = (from + to) / 2) => look(around - (around - from) * factor, around + (to - around) * factor);
    const pan = (share) => look(from + (to - from) * share, to + (to - from) * share);

    let waiting = false;
    const schedule = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; draw(); });
    };

    // Every device pixel gets the mean colour of the time it stands for: what is too narrow to be
    // seen is mixed in proportion, never dropped.
    const drawSpans = (context, ratio, colours, background) => {
      const width = Math.round(plotWidth() * ratio);
      if (width < 2) return;
      const row = Math.round(rowHeight * ratio), inner = rowHeight > 5 ? row - Math.max(1, Math.round(1.5 * ratio)) : row;
      const image = context.createImageData(width, row * lanes.length);
      const pixels = new Uint32Array(image.data.buffer);
      const perPixel = (to - from) / width;
      const sums = new Float32Array(width * 4);
      lanes.forEach((lane, index) => {
        sums.fill(0);
        for (let i = firstAfter(lane, from); i < lane.start.length && lane.start[i] < to; i++) {
          if (lane.end[i] <= from) continue;
          const a = Math.max(0, (lane.start[i] - from) / perPixel), b = Math.min(width, (lane.end[i] - from) / perPixel);
          const colour = colours[lane.kind[i]];
          for (let p = Math.floor(a); p < b; p++) {
            const share = Math.min(b, p + 1) - Math.max(a, p);
            sums[4 * p] += colour[0] * share; sums[4 * p + 1] += colour[1] * share;
            sums[4 * p + 2] += colour[2] * share; sums[4 * p + 3] += share;
          }
        }
        for (let p = 0; p < width; p++) {
          const weight = sums[4 * p + 3], rest = Math.max(0, 1 - weight), total = weight + rest;
          const mix = (c) => (sums[4 * p + c] + background[c] * rest) / total;
          const value = (255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0);
          for (let y = 0; y < inner; y++) pixels[(index * row + y) * width + p] = value;
        }
      });
      context.putImageData(image, Math.round(gutter() * ratio), Math.round(top * ratio));
    };

    const drawLabels = (context, style) => {
      context.textBaseline = "middle";
      context.textAlign = "right";
      const room = gutter() - 14;
      const write = (text, y, bold) => {
        context.font = `${bold ? "600 " : ""}12px system-ui, sans-serif`;
        context.fillText(text, gutter() - 10, y, room);
      };
      context.fillStyle = style.getPropertyValue("--ink");
      if (rowHeight >= 11) {
        data.lanes.forEach((lane, index) => write(`${lane.rank} · ${lane.name}`, top + rowHeight * (index + 0.5), index === chosen));
      } else {
        let begin = 0;
        data.lanes.forEach((lane, index) => {
          if (data.lanes[index + 1]?.campus === lane.campus) return;
          write(lane.campus, top + rowHeight * (begin + index + 1) / 2, false);
          begin = index + 1;
        });
      }
      context.strokeStyle = style.getPropertyValue("--soft");
      data.lanes.forEach((lane, index) => {
        if (!index || data.lanes[index - 1].campus === lane.campus) return;
        const y = top + rowHeight * index - 0.5;
        context.beginPath(); context.moveTo(8, y); context.lineTo(stage.clientWidth, y); context.stroke();
      });
    };

    // The timeline's events: a strip above the lanes, and a hatching over the lanes that they strike.
    const drawBands = (context, style) => {
      context.save();
      context.beginPath(); context.rect(gutter(), 0, plotWidth(), height); context.clip();
      context.textAlign = "left";
      context.font = "11px system-ui, sans-serif";
      for (const band of bands) {
        if (band.end < from || band.start > to) continue;
        const x = xOf(band.start), width = Math.max(xOf(band.end) - x, 2), y = bandTop + bandRow * band.row;
        context.fillStyle = context.strokeStyle = style.getPropertyValue("--event");
        context.fillRect(x, y, width, bandRow - 2);
        context.globalAlpha = 0.18;
        if (band.struck.length) for (const lane of band.struck) context.fillRect(x, top + rowHeight * lane, width, rowHeight);
        else context.fillRect(x, top, width, height - top);
        context.globalAlpha = 0.8;
        context.setLineDash([4, 4]);
        for (const edge of [x, x + width]) { context.beginPath(); context.moveTo(edge, y); context.lineTo(edge, height); context.stroke(); }
        context.setLineDash([]);
        context.globalAlpha = 1;
        const label = band.says || band.name;
        const room = context.measureText(label).width + 8 <= width;
        context.fillStyle = room ? "#1b1f24" : style.getPropertyValue("--ink"); // the band is light in both themes
        const beside = bands.some((other) => other !== band && other.row === band.row && other.start > band.start && xOf(other.start) < x + width + context.measureText(label).width + 8);
        if (room) context.fillText(label, Math.max(x, gutter()) + 4, y + bandRow / 2 - 1);
        else if (!beside) context.fillText(label, x + width + 4, y + bandRow / 2 - 1);
      }
      context.restore();
    };
    const showBand = (band) => {
      leave();
      tip.hidden = false;
      tip.replaceChildren(element("b", {}, band.name), element("div", {}, band.says), element("div", {}, `from ${time(band.start)} to ${time(band.end)}`));
      tip.style.left = `${Math.max(0, Math.min(Math.max(xOf(band.start), gutter()), stage.clientWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${top + 6}px`;
    };
    let chosenBand = -1;
    const chooseBand = () => {
      if (!bands.length) return;
      const band = bands[chosenBand = (chosenBand + 1) % bands.length];
      const middle = (band.start + band.end) / 2;
      if (middle < from || middle > to) look(middle - (to - from) / 2, middle + (to - from) / 2);
      showBand(band);
    };

    const drawAxis = (context, style) => {
      const step = niceStep((to - from) / Math.max(2, plotWidth() / 120));
      context.textAlign = "center";
      context.font = "12px system-ui, sans-serif";
      for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
        const x = xOf(t);
        context.strokeStyle = style.getPropertyValue("--line");
        context.beginPath(); context.moveTo(x, top - 6); context.lineTo(x, top); context.stroke();
        context.fillStyle = style.getPropertyValue("--soft");
        if (x < stage.clientWidth - 24) context.fillText(time(t).replace(/^0 .*/, "0"), x, 9);
      }
      if (data.marks.length < 2) return;
      context.strokeStyle = style.getPropertyValue("--ink");
      for (const [label, begin, end] of data.marks) {
        const left = Math.max(xOf(begin), gutter()), right = Math.min(xOf(end), stage.clientWidth);
        if (right <= left) continue;
        if (right - left > 74) context.fillText(`iteration ${label}`, (left + right) / 2, 24);
        else if (right - left > 26) context.fillText(label, (left + right) / 2, 24);
        if (xOf(begin) <= gutter()) continue;
        context.beginPath(); context.moveTo(left, top - 22); context.lineTo(left, height); context.globalAlpha = 0.35; context.stroke(); context.globalAlpha = 1;
      }
    };

    const draw = () => {
      const ratio = Math.min(devicePixelRatio || 1, 2);
      canvas.width = stage.clientWidth * ratio;
      canvas.height = height * ratio;
      canvas.style.height = `${height}px`;
      const context = canvas.getContext("2d");
      const style = getComputedStyle(root);
      drawSpans(context, ratio, kindColours.map((name) => rgb(style.getPropertyValue(name))), rgb(style.getPropertyValue("--card")));
      context.scale(ratio, ratio);
      drawLabels(context, style);
      drawAxis(context, style);
      drawBands(context, style);
      if (pointed) point(pointed.lane, pointed.span, pointed.t);
    };
    redraws.push(draw);

    const point = (lane, span, t) => {
      pointed = { lane, span, t };
      const info = data.lanes[lane], spans = lanes[lane];
      const x = xOf(t);
      const visible = x >= gutter() && x <= stage.clientWidth;
      cursor.hidden = tip.hidden = !visible;
      if (!visible) return;
      cursor.style.left = `${x}px`;
      const lines = [element("b", {}, `rank ${info.rank} · ${info.name}`), element("div", {}, `${info.accelerator}, ${info.campus}`)];
      if (span >= 0) {
        const [label, , , last] = data.marks[spans.mark[span]] ?? [];
        const other = figure.dataset.kinds === "activity" ? spans.kind[span] === 1 && last && `last to enter: rank ${last}` : info.from && `message from rank ${info.from}`;
        lines.push(element("div", {}, element("b", {}, `${data.kinds[spans.kind[span]]} ${time(spans.end[span] - spans.start[span])}`)));
        lines.push(element("div", {}, `from ${time(spans.start[span])} to ${time(spans.end[span])}${label === undefined ? "" : `, iteration ${label}`}`));
        if (other) lines.push(element("div", {}, other));
      } else lines.push(element("div", {}, `nothing recorded at ${time(t)}`));
      tip.replaceChildren(...lines);
      const left = Math.min(Math.max(x + 12, 0), stage.clientWidth - tip.offsetWidth - 4);
      tip.style.left = `${x + 12 > left ? Math.max(0, x - tip.offsetWidth - 12) : left}px`;
      const y = top + rowHeight * (lane + 1) + 8;
      tip.style.top = `${y + tip.offsetHeight > height ? y - tip.offsetHeight - rowHeight - 16 : y}px`;
    };
    const spanAt = (lane, t) => {
      const { start, end } = lanes[lane];
      let found = -1;
      for (let i = firstAfter(lanes[lane], t); i < start.length && start[i] <= t; i++) if (end[i] > t) found = i;
      return found;
    };
    const leave = () => { pointed = null; cursor.hidden = tip.hidden = true; };

    const place = (event) => {
      const box = stage.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let drag = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button || place(event)[0] < gutter()) return;
      drag = { x: event.clientX, from, to };
      stage.setPointerCapture(event.pointerId);
      stage.classList.add("dragging");
    });
    stage.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (drag) {
        const moved = ((event.clientX - drag.x) / plotWidth()) * (drag.to - drag.from);
        leave();
        look(drag.from - moved, drag.to - moved);
        return;
      }
      const lane = Math.floor((y - top) / rowHeight);
      const above = bands.find((band) => y >= bandTop && y < top && Math.floor((y - bandTop) / bandRow) === band.row && x >= xOf(band.start) - 3 && x <= Math.max(xOf(band.end), xOf(band.start) + 2) + 3);
      if (above && x >= gutter()) showBand(above);
      else if (x < gutter() || lane < 0 || lane >= lanes.length) leave();
      else point(lane, spanAt(lane, tOf(x)), tOf(x));
    });
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => { drag = null; stage.classList.remove("dragging"); });
    stage.addEventListener("pointerleave", leave);
    stage.addEventListener("dblclick", (event) => zoom(0.4, tOf(place(event)[0])));
    stage.addEventListener("wheel", (event) => {
      const wanted = event.ctrlKey || event.metaKey || document.activeElement === stage;
      if (!wanted) return;
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) pan((event.deltaX || event.deltaY) / 800);
      else zoom(Math.exp(Math.max(-80, Math.min(80, event.deltaY)) / 240), tOf(Math.max(gutter(), place(event)[0])));
    }, { passive: false });

    const chooseSpan = (step) => {
      if (chosen < 0) chosen = 0;
      const spans = lanes[chosen];
      if (!spans.start.length) return;
      const now = pointed?.lane === chosen && pointed.span >= 0 ? pointed.span + step : firstAfter(spans, from);
      const next = Math.min(Math.max(now, 0), spans.start.length - 1);
      const middle = (spans.start[next] + spans.end[next]) / 2;
      if (middle < from || middle > to) look(middle - (to - from) / 2, middle + (to - from) / 2);
      point(chosen, next, middle);
      schedule();
    };
    const chooseLane = (step) => {
      chosen = Math.min(Math.max(chosen + step, 0), lanes.length - 1);
      const t = pointed ? pointed.t : (from + to) / 2;
      point(chosen, spanAt(chosen, t), t);
      schedule();
    };
    const keys = {
      w: () => zoom(0.6), "+": () => zoom(0.6), "=": () => zoom(0.6), s: () => zoom(1 / 0.6), "-": () => zoom(1 / 0.6),
      a: () => pan(-0.25), d: () => pan(0.25), 0: () => look(0, length), Home: () => look(0, length), Escape: leave, e: chooseBand,
      ArrowUp: () => chooseLane(-1), ArrowDown: () => chooseLane(1), ArrowLeft: () => chooseSpan(-1), ArrowRight: () => chooseSpan(1),
    };
    stage.addEventListener("keydown", (event) => {
      const act = !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
    stage.addEventListener("blur", leave);

    const press = (label, title, act) => {
      const made = element("button", { type: "button", title }, label);
      made.addEventListener("click", act);
      return made;
    };
    const tools = element("div", { className: "tools" },
      press("+", "Zoom in (W)", () => zoom(0.6)), press("−", "Zoom out (S)", () => zoom(1 / 0.6)),
      press("←", "Earlier (A)", () => pan(-0.4)), press("→", "Later (D)", () => pan(0.4)), press("All", "Show all (0)", () => look(0, length)));
    if (data.marks.length > 1) {
      const by = [...data.marks].sort((a, b) => a[2] - a[1] - (b[2] - b[1]));
      const show = ([, begin, end]) => look(begin - (end - begin) * 0.02, end + (end - begin) * 0.02);
      tools.append(press("Median iteration", "Show the iteration of median duration", () => show(by[(by.length - 1) >> 1])),
        press("Slowest iteration", "Show the slowest iteration", () => show(by[by.length - 1])));
    }
    tools.append(element("span", { className: "hint" }, "Ctrl + wheel zooms (click it first: wheel alone) · drag moves · W S A D · arrows step" + (bands.length ? " · E next event" : "")));
    const holder = figure.querySelector(".interactive");
    holder.append(tools, stage);
    holder.hidden = false;
    if (data.marks.length > 4) to = data.marks[Math.min(3, data.marks.length - 1)][2];
    new ResizeObserver(schedule).observe(stage);
    draw();
  };
  document.querySelectorAll("[data-timeline]").forEach(timeline);
})();
