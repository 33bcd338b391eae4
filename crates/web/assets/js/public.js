// Pages of the portal: GOV.UK's components that we use, reading aloud, printing.
import { createAll, Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, PasswordInput, Radios, SkipLink, Tabs } from 'govuk-frontend';
import { initOwn } from './own.js';
import { initSpeak } from './speak.js';

for (const component of [Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, PasswordInput, Radios, SkipLink, Tabs]) createAll(component);
initOwn();
initSpeak();
