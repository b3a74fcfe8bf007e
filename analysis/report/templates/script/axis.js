// A stretch of time across a stage, and what all that lies on it has in common: zooming, moving, ticks.
const makeAxis = (stage, length) => {
  const axis = { from: 0, to: length, length, draw: () => {} };
  let waiting = false;
  axis.gutter = () => (stage.clientWidth < 560 ? 84 : 168);
  axis.width = () => stage.clientWidth - axis.gutter();
  axis.x = (t) => axis.gutter() + ((t - axis.from) / (axis.to - axis.from)) * axis.width();
  axis.t = (x) => axis.from + ((x - axis.gutter()) / axis.width()) * (axis.to - axis.from);
  axis.sees = (t) => t >= axis.from && t <= axis.to;
  axis.schedule = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; axis.draw(); });
  };
  axis.look = (begin, end) => {
    const span = Math.min(Math.max(end - begin, 20), length);
    axis.from = Math.min(Math.max(begin, 0), length - span);
    axis.to = axis.from + span;
    axis.schedule();
  };
  axis.zoom = (factor, around = (axis.from + axis.to) / 2) =>
    axis.look(around - (around - axis.from) * factor, around + (axis.to - around) * factor);
  axis.pan = (share) => axis.look(axis.from + (axis.to - axis.from) * share, axis.to + (axis.to - axis.from) * share);
  axis.all = () => axis.look(0, length);
  axis.reach = (t) => { if (!axis.sees(t)) axis.look(t - (axis.to - axis.from) / 2, t + (axis.to - axis.from) / 2); };
  return axis;
};

const drawAxis = (context, style, axis, marks, top, height) => {
  const right = axis.gutter() + axis.width();
  const step = niceStep((axis.to - axis.from) / Math.max(2, axis.width() / 120));
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "12px system-ui, sans-serif";
  for (let t = Math.ceil(axis.from / step) * step; t <= axis.to; t += step) {
    const x = axis.x(t);
    context.strokeStyle = style.getPropertyValue("--line");
    context.beginPath(); context.moveTo(x, top - 6); context.lineTo(x, top); context.stroke();
    context.fillStyle = style.getPropertyValue("--soft");
    if (x < right - 24) context.fillText(time(t).replace(/^0 .*/, "0"), x, 9);
  }
  if (marks.length < 2) return;
  context.strokeStyle = style.getPropertyValue("--ink");
  for (const [label, begin, end] of marks) {
    const left = Math.max(axis.x(begin), axis.gutter()), last = Math.min(axis.x(end), right);
    if (last <= left) continue;
    if (last - left > 74) context.fillText(`iteration ${label}`, (left + last) / 2, 24);
    else if (last - left > 26) context.fillText(label, (left + last) / 2, 24);
    if (axis.x(begin) <= axis.gutter()) continue;
    context.beginPath(); context.moveTo(left, top - 22); context.lineTo(left, height); context.globalAlpha = 0.35; context.stroke(); context.globalAlpha = 1;
  }
};

// Pointer, wheel and keys: what moves the axis is the same everywhere; `act` does the rest.
const moveBy = (stage, axis, act) => {
  let drag = null;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [x, y] = place(event);
    drag = { x: event.clientX, from: axis.from, to: axis.to, moved: false, fixed: x < axis.gutter(), at: [x, y] };
    if (drag.fixed) return;
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("dragging");
  });
  stage.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!drag || drag.fixed) return act.over(x, y);
    if (Math.abs(event.clientX - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    const moved = ((event.clientX - drag.x) / axis.width()) * (drag.to - drag.from);
    act.leave();
    axis.look(drag.from - moved, drag.to - moved);
  });
  stage.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) act.click(...drag.at);
    drag = null;
    stage.classList.remove("dragging");
  });
  stage.addEventListener("pointercancel", () => { drag = null; stage.classList.remove("dragging"); });
  stage.addEventListener("pointerleave", act.leave);
  stage.addEventListener("dblclick", (event) => axis.zoom(0.4, axis.t(place(event)[0])));
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== stage) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) axis.pan((event.deltaX || event.deltaY) / 800);
    else axis.zoom(Math.exp(Math.max(-80, Math.min(80, event.deltaY)) / 240), axis.t(Math.max(axis.gutter(), place(event)[0])));
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    const done = !event.ctrlKey && !event.metaKey && !event.altKey && act.keys[event.key];
    if (!done) return;
    event.preventDefault();
    done();
  });
  stage.addEventListener("blur", act.leave);
};
