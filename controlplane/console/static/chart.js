// Draws each series with uPlot, in place of the picture that the server drew.
(() => {
  if (typeof uPlot !== "function") return; // the server's pictures stay
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const HEIGHT = 180;

  // One column of times; each side has its own values, and nothing where the other one is.
  const columns = (chart) => {
    const times = [...chart.before, ...chart.after].map((point) => point[0]);
    const gap = (points) => points.map(() => null);
    const values = (points) => points.map((point) => point[1]);
    return [
      times,
      [...values(chart.before), ...gap(chart.after)],
      [...gap(chart.before), ...values(chart.after)],
    ];
  };

  const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];
  const clock = (seconds) => new Date(seconds * 1e3).toISOString().slice(11, 19);

  const line = (plot, from, to, paint) => {
    const ctx = plot.ctx;
    ctx.save();
    ctx.strokeStyle = paint;
    ctx.lineWidth = window.devicePixelRatio;
    ctx.setLineDash([6 * ctx.lineWidth, 4 * ctx.lineWidth]);
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
    ctx.restore();
  };

  const marks = (chart) => (plot) => {
    const box = plot.bbox;
    const inside = (at, low, size) => at >= low && at <= low + size;
    if (chart.deployedAt !== null) {
      const x = plot.valToPos(chart.deployedAt, "x", true);
      if (inside(x, box.left, box.width)) line(plot, [x, box.top], [x, box.top + box.height], colour("--water"));
    }
    if (chart.threshold !== null) {
      const y = plot.valToPos(chart.threshold, "y", true);
      if (inside(y, box.top, box.height)) line(plot, [box.left, y], [box.left + box.width, y], colour("--bad"));
    }
  };

  const range = (chart) => (_, low, high) => {
    const limit = chart.threshold;
    const from = limit === null ? low : Math.min(low, limit);
    const to = limit === null ? high : Math.max(high, limit);
    const room = (to - from || Math.abs(to) || 1) * 0.08;
    return [from - room, to + room];
  };

  const room = (element) => {
    const style = getComputedStyle(element);
    return element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };

  const options = (element, chart) => {
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: room(element),
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      scales: { y: { range: range(chart) } },
      padding: [null, 30, null, null], // half of the last time
      axes: [{ ...axis, space: 90, size: 30, incrs: SECONDS, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 64 }],
      series: [
        { label: "UTC", value: "{HH}:{mm}:{ss}" },
        { label: "before", stroke: colour("--idle"), width: 1.5, points: { size: 4 } },
        { label: "since", stroke: getComputedStyle(element).color, width: 2, points: { size: 4 } },
      ],
      hooks: { draw: [marks(chart)] },
    };
  };

  for (const element of document.querySelectorAll(".chart[data-chart]")) {
    const chart = JSON.parse(element.dataset.chart);
    element.querySelector("svg").remove();
    const draw = () => new uPlot(options(element, chart), columns(chart), element);
    let plot = draw();
    // A canvas keeps the colours that it was drawn in.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      plot.destroy();
      plot = draw();
    });
    new ResizeObserver(() => plot.setSize({ width: room(element), height: HEIGHT })).observe(element.parentElement);
  }
})();
