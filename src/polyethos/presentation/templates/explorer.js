/* Figures that scroll sideways on a phone can be reached and scrolled by keyboard. */
new MutationObserver(() => {
  document.querySelectorAll(".pe-plot").forEach((plot, place) => {
    if (plot.tabIndex === 0) return;
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", `Figure ${place + 1}`);
  });
}).observe(document.documentElement, { childList: true, subtree: true });
