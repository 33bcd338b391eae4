// What our own parts add when scripts run. Everything works without.
export function initOwn(scope = document) {
  // Beside a list there is room for the filter; above it, it stays folded.
  if (matchMedia('(min-width: 60em)').matches) {
    for (const filter of scope.querySelectorAll('.yw-listpage [data-yw-filter]')) filter.open = true;
  }
  for (const button of scope.querySelectorAll('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }
}
// On paper nothing is folded.
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((fold) => { fold.open = true; }));
