// The data console: an SQL editor in place of the statement's field. The form works without; chart.js draws the result.
import { editSql } from './editor.js';

const field = document.querySelector('textarea#sql');

/** The editor, or the field itself where none can stand before it. */
function editor() {
  try {
    return editSql(field, JSON.parse(document.getElementById('console-schema')?.textContent ?? '{}'));
  } catch (error) {
    console.warn(error);
    return {
      insert(text) {
        field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end');
        field.focus();
      },
    };
  }
}

/** `data-insert` on a button holds the text; on a list, the words of the button that inserts what is chosen. */
function offerInserts({ insert }) {
  for (const button of document.querySelectorAll('button[data-insert]')) {
    button.hidden = false;
    button.addEventListener('click', () => insert(button.dataset.insert));
  }
  for (const list of document.querySelectorAll('select[data-insert]')) {
    const take = () => {
      if (list.value) insert(list.value);
      list.selectedIndex = 0;
    };
    if (!list.dataset.insert) {
      list.addEventListener('change', take);
      continue;
    }
    // Walking a list with the arrow keys changes it at each step, so a button says when.
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'govuk-button govuk-button--secondary';
    button.textContent = list.dataset.insert;
    button.addEventListener('click', take);
    list.after(button);
  }
}

/** Sends the chosen picture, which the fragment names, along with the form: the answer's address would come without it. */
function keepFragment(form) {
  const action = form.getAttribute('action') ?? '';
  form.addEventListener('submit', () => {
    form.setAttribute('action', location.hash.startsWith('#chart=') ? action + location.hash : action);
  });
}

if (field) {
  offerInserts(editor());
  if (field.form) keepFragment(field.form);
}
