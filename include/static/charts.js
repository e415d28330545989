// Draws a chart of each table that asks for one; the table stays, for whoever cannot see the chart or wants the figures.
// <table data-chart="line">, and <th data-series> for each column to draw; the first column names the points.
"use strict";

// Told apart by everybody, also in print: Okabe and Ito's colours, and dashes.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];

function number(cell) {
  return cell.dataset.value === "" ? null : Number(cell.dataset.value ?? cell.textContent.replaceAll(",", ""));
}

function series(table, heading, at, kind) {
  const isShare = heading.dataset.series === "share";
  return {
    label: heading.textContent,
    data: [...table.tBodies[0].rows].map((row) => number(row.cells[heading.cellIndex])),
    type: heading.dataset.kind ?? kind,
    yAxisID: isShare ? "share" : "count",
    borderColor: COLOURS[at],
    backgroundColor: heading.dataset.kind === "bar" || kind === "bar" ? COLOURS[at] + "99" : COLOURS[at],
    borderDash: at ? [5, 3] : [],
    borderWidth: kind === "bar" ? 1 : 2,
    pointRadius: 2,
    tension: 0.2,
    order: heading.dataset.kind === "bar" ? 1 : 0,
  };
}

function draw(table) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const headings = [...table.tHead.rows[0].cells].filter((heading) => "series" in heading.dataset);
  const quiet = getComputedStyle(table.tHead.rows[0].cells[0]).color;
  const line = getComputedStyle(table).borderTopColor;
  figure.className = "chart";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${table.dataset.title}; its figures are in the table below`);
  figure.append(canvas);
  table.closest(".wide").before(figure);
  const datasets = headings.map((heading, at) => series(table, heading, at, table.dataset.chart));
  const labels = [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim());
  if ("newest" in table.dataset) for (const points of [labels, ...datasets.map((each) => each.data)]) points.reverse();
  const axis = (shown, extra) => ({ display: shown, ticks: { color: quiet }, grid: { color: line }, ...extra });
  new Chart(canvas, {
    type: table.dataset.chart,
    data: { labels, datasets },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: datasets.length > 1, labels: { color: quiet } } },
      scales: {
        x: axis(true, { grid: { display: false } }),
        count: axis(datasets.some((each) => each.yAxisID === "count"), {
          beginAtZero: true, position: datasets.some((each) => each.yAxisID === "share") ? "right" : "left",
          ticks: { color: quiet, precision: 0 },
        }),
        share: axis(datasets.some((each) => each.yAxisID === "share"), {
          ...("fit" in table.dataset ? { beginAtZero: true } : { max: 1 }),
          ticks: { color: quiet, callback: (value) => `${Number((value * 100).toFixed(2))} %` },
        }),
      },
    },
  });
}

function drawAll() {
  for (const figure of document.querySelectorAll("figure.chart")) {
    Chart.getChart(figure.querySelector("canvas"))?.destroy();
    figure.remove();
  }
  document.querySelectorAll("table[data-chart]").forEach(draw);
}
drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

// On paper a chart stands on white, whatever the screen is.
const chosenTheme = document.documentElement.dataset.theme;
addEventListener("beforeprint", () => {
  document.documentElement.dataset.theme = "light";
  drawAll();
});
addEventListener("afterprint", () => {
  if (chosenTheme) document.documentElement.dataset.theme = chosenTheme;
  else delete document.documentElement.dataset.theme;
  drawAll();
});
