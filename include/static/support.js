"use strict";

// Airflow's own choice of light or dark, where these pages stand within Airflow's.
const theme = localStorage.getItem("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

// As amazon_support.outputs.items.duration says it.
function span(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(seconds / 3600), days = Math.floor(seconds / 86400);
  if (seconds < 60) return "less than 1 min";
  if (seconds < 3600) return `${minutes} min`;
  if (seconds < 172800) return `${hours} h` + (minutes % 60 ? ` ${minutes % 60} min` : "");
  return `${days} d` + (hours % 24 ? ` ${hours % 24} h` : "");
}

function countOn() {
  for (const time of document.querySelectorAll("time[data-due]")) {
    const seconds = Math.floor((Date.parse(time.dateTime) - Date.now()) / 1000);
    time.textContent = `${span(Math.abs(seconds))} ${seconds < 0 ? "late" : "left"}`;
    time.classList.toggle("late", seconds < 0);
    time.classList.toggle("soon", seconds >= 0 && seconds <= 14400);
  }
}
setInterval(countOn, 30000);

// j and k choose a row, Enter opens it, / goes to the search.
let chosen = -1;
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...document.querySelectorAll(".list tbody tr")];
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector(".search input").focus();
  } else if ((event.key === "j" || event.key === "k") && rows.length) {
    rows[chosen]?.classList.remove("chosen");
    chosen = Math.min(Math.max(chosen + (event.key === "j" ? 1 : -1), 0), rows.length - 1);
    rows[chosen].classList.add("chosen");
    rows[chosen].scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter" && chosen >= 0 && !event.target.closest("a, button")) {
    rows[chosen]?.querySelector("a")?.click();
  }
});

// One click is one action, and shows that it is under way.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) return event.preventDefault();
  if (event.target.method === "post") event.target.dataset.sent = "yes";
  document.body.setAttribute("aria-busy", "true");
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const opensHere = link && link.origin === location.origin && !link.target && !link.href.includes("format=csv");
  const isAnchor = link && link.hash && link.pathname === location.pathname && link.search === location.search;
  if (opensHere && !isAnchor && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    document.body.setAttribute("aria-busy", "true");
  }
});
addEventListener("pageshow", () => {
  document.body.removeAttribute("aria-busy");
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
