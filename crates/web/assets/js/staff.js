// Officers' pages: the portal's scripts, tables that sort, parts of a page that reload by themselves.
import { createAll, Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, PasswordInput, Radios, SkipLink, Tabs } from 'govuk-frontend';
import { SortableTable } from '@ministryofjustice/frontend';
import 'htmx.org';
import { initOwn } from './own.js';
import { initSpeak } from './speak.js';

const components = [Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, PasswordInput, Radios, SkipLink, Tabs, SortableTable];

function init(scope) {
  for (const component of components) createAll(component, undefined, { scope });
  initOwn(scope);
}

init(document);
initSpeak();
// The event names the form or link that asked, so the whole page is gone over; what runs already is skipped.
document.addEventListener('htmx:after:swap', () => init(document));
