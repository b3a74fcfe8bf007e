// Traffic on the map: how full each direction of each link is at the moment of the slider, which is the cursor of the timelines.
const mapTraffic = (holder) => {
  const network = stored(document.querySelector("script.network"));
  const ranks = stored(document.querySelector("[data-timeline='ranks'] script.data"));
  const drawing = document.querySelector("svg.map");
  const tracks = (network?.tracks ?? []).filter((track) => track.link);
  if (!tracks.length || !drawing) return;
  const flows = tracks.map((track) => {
    const arc = drawing.querySelector(`path.arc[data-link="${CSS.escape(track.link)}"]`);
    if (!arc) return null;
    const flow = arc.cloneNode();
    const first = tracks.find((one) => one.link === track.link) === track;
    flow.setAttribute("class", "flow");
    flow.setAttribute("transform", `translate(0 ${first ? -5 : 5})`);
    arc.after(flow);
    return flow;
  });
  const readings = tracks.map((track) => {
    const bar = element("span", { className: "meter" });
    const said = element("span");
    const row = element("li", {}, element("b", {}, track.name), bar, said);
    row.dataset.link = track.link;
    return { row, bar, said };
  });
  const first = ranks.origin + Math.max(network.at[0], 0), last = ranks.origin + Math.min(network.at[network.at.length - 1], Math.max(...ranks.marks.map((mark) => mark[2])));
  const slider = element("input", { type: "range", min: 0, max: 2000, value: 0 });
  slider.setAttribute("aria-label", "Moment that the map and the timelines show");
  const clock = element("output");
  const show = (at) => {
    const t = at - ranks.origin, sample = sampleAt(network, t);
    clock.textContent = time(t);
    tracks.forEach((track, index) => {
      const used = Math.min(track.used[sample] / 1000, 1), dropped = pairValue(track.dropped, sample);
      if (flows[index]) {
        flows[index].setAttribute("stroke-width", (used * 9).toFixed(1));
        flows[index].setAttribute("class", dropped ? "flow dropping" : "flow");
      }
      readings[index].bar.style.setProperty("--share", used);
      readings[index].said.textContent = ` ${Math.round(used * 100)} %, queue ${track.queue[sample]} of ${track.limit}${dropped ? `, ${dropped} dropped` : ""}`;
      readings[index].row.classList.toggle("dropping", dropped > 0);
    });
  };
  slider.addEventListener("input", () => pointAt(first + (slider.value / 2000) * (last - first), "slider"));
  follow(() => {
    if (shared.at === null) return;
    if (document.activeElement !== slider) slider.value = String(Math.round(((shared.at - first) / (last - first)) * 2000));
    show(shared.at);
  });
  const busiest = network.at.map((_, i) => tracks.reduce((sum, track) => sum + track.used[i] + 1e6 * pairValue(track.dropped, i), 0));
  holder.append(element("label", { className: "slider" }, "Traffic at ", slider, clock), element("ul", { className: "readings" }, ...readings.map((one) => one.row)));
  holder.hidden = false;
  const start = network.at[busiest.indexOf(Math.max(...busiest))];
  slider.value = String(Math.round(((start + ranks.origin - first) / (last - first)) * 2000));
  show(start + ranks.origin);
};
document.querySelectorAll("[data-traffic]").forEach(mapTraffic);
