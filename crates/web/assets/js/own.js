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
  for (const button of scope.querySelectorAll('[data-copy]')) button.hidden = false;
  // A fold with fields that one choice of a list asks for.
  for (const fold of scope.querySelectorAll('[data-open-for]')) {
    const [name, value] = fold.dataset.openFor.split('=');
    const list = scope.querySelector(`select[name="${name}"]`);
    const follow = () => { fold.open = list.value === value; };
    list?.addEventListener('change', follow);
  }
}
// One listener for all: a part of a page that reloads would otherwise be given another.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  const source = button && document.querySelector(button.dataset.copy);
  if (!source || !(await copy(source)) || !button.dataset.copied) return;
  button.setAttribute('aria-live', 'polite');
  button.textContent = button.dataset.copied;
});
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    return true;
  } catch {
    // Over plain HTTP there is no clipboard to write to; what is selected can still be copied.
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    return document.execCommand('copy');
  }
}
// On paper nothing is folded.
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((fold) => { fold.open = true; }));
