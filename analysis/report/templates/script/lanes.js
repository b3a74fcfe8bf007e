// Lanes of coloured spans, a rank each: unpacking, searching, drawing; and what crosses them, messages and the critical path.

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
const spanAt = (lane, t) => {
  let found = -1;
  for (let i = firstAfter(lane, t); i < lane.start.length && lane.start[i] <= t; i++) if (lane.end[i] > t) found = i;
  return found;
};

// Every device pixel gets the mean colour of the time it stands for: what is too narrow to be seen is mixed in
// proportion, never dropped.
const drawSpans = (context, axis, lanes, rowHeight, top, colours, background) => {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const width = Math.round(axis.width() * ratio);
  if (width < 2 || !lanes.length) return;
  const row = Math.round(rowHeight * ratio), inner = rowHeight > 5 ? row - Math.max(1, Math.round(1.5 * ratio)) : row;
  const image = context.createImageData(width, row * lanes.length);
  const pixels = new Uint32Array(image.data.buffer);
  const perPixel = (axis.to - axis.from) / width;
  const sums = new Float32Array(width * 4);
  lanes.forEach((lane, index) => {
    sums.fill(0);
    for (let i = firstAfter(lane, axis.from); i < lane.start.length && lane.start[i] < axis.to; i++) {
      if (lane.end[i] <= axis.from) continue;
      const a = Math.max(0, (lane.start[i] - axis.from) / perPixel), b = Math.min(width, (lane.end[i] - axis.from) / perPixel);
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
  context.putImageData(image, Math.round(axis.gutter() * ratio), Math.round(top * ratio));
};

const drawLabels = (context, style, axis, infos, rowHeight, top, chosen) => {
  context.textBaseline = "middle";
  context.textAlign = "right";
  const room = axis.gutter() - 14;
  const write = (text, y, bold) => {
    context.font = `${bold ? "600 " : ""}12px system-ui, sans-serif`;
    context.fillText(text, axis.gutter() - 10, y, room);
  };
  context.fillStyle = style.getPropertyValue("--ink");
  if (rowHeight >= 11) {
    infos.forEach((lane, index) => write(`${lane.rank} · ${lane.name}`, top + rowHeight * (index + 0.5), index === chosen || lane.rank === shared.rank));
  } else {
    let begin = 0;
    infos.forEach((lane, index) => {
      if (infos[index + 1]?.campus === lane.campus) return;
      write(lane.campus, top + rowHeight * (begin + index + 1) / 2, false);
      begin = index + 1;
    });
  }
  context.strokeStyle = style.getPropertyValue("--soft");
  infos.forEach((lane, index) => {
    if (!index || infos[index - 1].campus === lane.campus) return;
    const y = top + rowHeight * index - 0.5;
    context.beginPath(); context.moveTo(8, y); context.lineTo(axis.gutter() + axis.width(), y); context.stroke();
  });
};

// Lines from lane to lane over a stretch of time: drawn with an edge, so that they show on any colour.
const drawLines = (context, style, lines) => {
  context.lineJoin = "round";
  for (const [colour, width] of [[style.getPropertyValue("--card"), 4.5], [style.getPropertyValue("--ink"), 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [x1, y1, x2, y2] of lines) { context.moveTo(x1, y1); context.lineTo(x2, y2); }
    context.stroke();
  }
  context.lineWidth = 1;
};
const drawHeads = (context, style, lines) => {
  context.fillStyle = style.getPropertyValue("--ink");
  for (const [x1, y1, x2, y2] of lines) {
    const angle = Math.atan2(y2 - y1, x2 - x1);
    context.beginPath();
    context.moveTo(x2, y2);
    for (const side of [0.42, -0.42]) context.lineTo(x2 - 9 * Math.cos(angle + side), y2 - 9 * Math.sin(angle + side));
    context.fill();
  }
};
// Steps of the path: on the wire from its sender's lane to the receiver's, else along a lane.
const pathLines = (axis, path, yOf) => {
  const lines = [];
  for (const [kind, rank, peer, begin, end] of path) {
    if (end < axis.from || begin > axis.to) continue;
    const y = yOf(rank), other = kind === 2 && peer >= 0 ? yOf(peer) : y;
    if (y !== undefined && other !== undefined) lines.push([axis.x(begin), other, axis.x(end), y]);
  }
  return lines;
};
const messageLines = (axis, messages, yOf, wanted) => {
  const lines = [];
  for (const [src, dst, sent, received] of messages) {
    if (!wanted(src, dst, sent, received)) continue;
    const a = yOf(src), b = yOf(dst);
    if (a !== undefined && b !== undefined) lines.push([axis.x(sent), a, axis.x(received), b]);
  }
  return lines;
};

// The timeline's events: a strip above the lanes, and a hatching over the lanes that they strike.
const drawBands = (context, style, axis, bands, lay, yOfLane, height) => {
  context.save();
  context.beginPath(); context.rect(axis.gutter(), 0, axis.width(), height); context.clip();
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.font = "11px system-ui, sans-serif";
  for (const band of bands) {
    if (band.end < axis.from || band.start > axis.to) continue;
    const x = axis.x(band.start), width = Math.max(axis.x(band.end) - x, 2), y = lay.bandTop + lay.bandRow * band.row;
    context.fillStyle = context.strokeStyle = style.getPropertyValue("--event");
    context.fillRect(x, y, width, lay.bandRow - 2);
    context.globalAlpha = 0.18;
    if (band.struck.length) for (const lane of band.struck) { const at = yOfLane(lane); if (at !== undefined) context.fillRect(x, at, width, lay.rowHeight); }
    else context.fillRect(x, lay.top, width, height - lay.top);
    context.globalAlpha = 0.8;
    context.setLineDash([4, 4]);
    for (const edge of [x, x + width]) { context.beginPath(); context.moveTo(edge, y); context.lineTo(edge, height); context.stroke(); }
    context.setLineDash([]);
    context.globalAlpha = 1;
    const label = band.says || band.name;
    const room = context.measureText(label).width + 8 <= width;
    context.fillStyle = room ? "#1b1f24" : style.getPropertyValue("--ink"); // the band is light in both themes
    const beside = bands.some((other) => other !== band && other.row === band.row && other.start > band.start && axis.x(other.start) < x + width + context.measureText(label).width + 8);
    if (room) context.fillText(label, Math.max(x, axis.gutter()) + 4, y + lay.bandRow / 2 - 1);
    else if (!beside) context.fillText(label, x + width + 4, y + lay.bandRow / 2 - 1);
  }
  context.restore();
};
