// The network under the lanes, on their axis: a track for each direction of a link, one for what TCP sent again.
const TRACK = 44, AGAIN = 26, GAP = 8;
const tracksHeight = (network) => (network ? GAP + network.tracks.length * TRACK + (network.again.length ? AGAIN : 0) + 4 : 0);
const trackAt = (network, y) => Math.floor((y - GAP) / TRACK);

// The first sample at t or after it; it tells of the time since the one before.
const sampleAt = (network, t) => {
  let low = 0, high = network.at.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (network.at[middle] < t) low = middle + 1; else high = middle;
  }
  return low;
};
const pairValue = (pairs, index) => pairs.find(([at]) => at === index)?.[1] ?? 0;
const againAt = (network, t) => network.again.filter(([since, until]) => since <= t && t <= until);
const delayNear = (track, t) => track.delays.reduce((best, one) => (Math.abs(one[0] - t) < Math.abs((best ?? [Infinity])[0] - t) ? one : best), null);

const trackSays = (network, track, t) => {
  const at = sampleAt(network, t);
  const said = [`${track.used[at] / 10} % of its rate`, `queue ${track.queue[at]} of ${counted(track.limit, "packet")}`];
  const dropped = pairValue(track.dropped, at), marked = pairValue(track.marked, at);
  if (dropped) said.push(`${counted(dropped, "packet")} dropped since ${time(network.at[Math.max(at - 1, 0)])}`);
  if (marked) said.push(`${marked} marked`);
  const probe = delayNear(track, t);
  if (probe) said.push(probe[1] < 0 ? "a probe was lost" : `a probe took ${time(probe[1] / 1000)}`);
  return said;
};

const drawTrack = (context, style, axis, network, track, y) => {
  const colour = (name) => style.getPropertyValue(name);
  const bottom = y + TRACK - 6, full = TRACK - 12, at = network.at;
  const left = (i) => Math.max(axis.x(at[Math.max(i - 1, 0)]), axis.gutter()), right = (i) => Math.min(axis.x(at[i]), axis.gutter() + axis.width());
  context.fillStyle = colour(track.link && track.link === shared.link ? "--event" : "--grid");
  context.globalAlpha = 0.45;
  context.fillRect(axis.gutter(), y, axis.width(), TRACK - 5);
  context.globalAlpha = 0.75;
  context.fillStyle = colour("--transfer");
  const first = Math.max(sampleAt(network, axis.from), 1), last = sampleAt(network, axis.to);
  for (let i = first; i <= last; i++) {
    const height = Math.min(track.used[i] / 1000, 1.02) * full;
    if (height > 0.2) context.fillRect(left(i), bottom - height, Math.max(right(i) - left(i), 0.6), height);
  }
  context.globalAlpha = 1;
  for (const [i] of track.dropped) {
    if (i < first || i > last) continue;
    context.fillStyle = colour("--bad");
    context.globalAlpha = 0.35;
    context.fillRect(left(i), y, Math.max(right(i) - left(i), 2), TRACK - 5);
    context.globalAlpha = 1;
    context.fillRect(left(i), y, Math.max(right(i) - left(i), 3), 4);
  }
  context.fillStyle = colour("--a1");
  for (const [i] of track.marked) if (i >= first && i <= last) context.fillRect(left(i), bottom + 1, Math.max(right(i) - left(i), 2), 3);
  const line = (name, points) => {
    context.strokeStyle = colour(name);
    context.lineWidth = 1.6;
    context.beginPath();
    points.forEach(([x, height], i) => (i ? context.lineTo(x, height) : context.moveTo(x, height)));
    context.stroke();
    context.lineWidth = 1;
  };
  const queue = [];
  for (let i = Math.max(first - 1, 0); i <= last; i++) queue.push([axis.x(at[i]), bottom - Math.min(track.queue[i] / track.limit, 1) * full]);
  context.save();
  context.beginPath(); context.rect(axis.gutter(), y, axis.width(), TRACK); context.clip();
  line("--a0", queue);
  const seen = track.delays.filter(([t]) => t >= axis.from && t <= axis.to);
  const most = Math.max(...track.delays.map(([, delay]) => delay), 1);
  line("--a2", seen.filter(([, delay]) => delay >= 0).map(([t, delay]) => [axis.x(t), bottom - (delay / most) * full]));
  context.restore();
  context.fillStyle = colour("--ink");
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.font = "600 11px system-ui, sans-serif";
  for (const [i, count] of track.dropped) if (i >= first && i <= last && right(i) - left(i) > 60) context.fillText(`${count} dropped`, left(i) + 3, y + 12, right(i) - left(i) - 6);
};

const drawTracks = (context, style, axis, network) => {
  network.tracks.forEach((track, index) => drawTrack(context, style, axis, network, track, GAP + index * TRACK));
  if (!network.again.length) return;
  const y = GAP + network.tracks.length * TRACK, most = Math.max(...network.again.map((row) => row[4]));
  context.fillStyle = style.getPropertyValue("--grid");
  context.globalAlpha = 0.45;
  context.fillRect(axis.gutter(), y, axis.width(), AGAIN - 4);
  context.globalAlpha = 0.8;
  context.fillStyle = style.getPropertyValue("--wait");
  for (const [since, until, , , packets] of network.again) {
    if (until < axis.from || since > axis.to) continue;
    const x = Math.max(axis.x(since), axis.gutter()), height = (0.25 + 0.75 * Math.sqrt(packets / most)) * (AGAIN - 6);
    context.fillRect(x, y + AGAIN - 4 - height, Math.max(axis.x(until) - x, 2), height);
  }
  context.globalAlpha = 1;
};

// Names in the gutter, and beneath them what the cursor is at.
const drawTrackLabels = (context, style, axis, network, top, at) => {
  const write = (text, y, font, name) => { context.font = font; context.fillStyle = style.getPropertyValue(name); context.fillText(text, axis.gutter() - 10, y, axis.gutter() - 14); };
  context.textAlign = "right";
  context.textBaseline = "middle";
  network.tracks.forEach((track, index) => {
    const y = top + GAP + index * TRACK;
    const sample = at === null ? -1 : sampleAt(network, at);
    write(track.name, y + 12, `${track.link && track.link === shared.link ? "700" : "600"} 12px system-ui, sans-serif`, "--ink");
    write(sample < 0 ? (axis.gutter() > 100 ? `queue of ${track.limit}` : "") : `${Math.round(track.used[sample] / 10)} % · queue ${track.queue[sample]}`, y + 28, "11px system-ui, sans-serif", "--soft");
  });
  if (network.again.length) write("sent again", top + GAP + network.tracks.length * TRACK + 11, "600 12px system-ui, sans-serif", "--ink");
};
