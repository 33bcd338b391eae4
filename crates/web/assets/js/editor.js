// Puts an SQL editor in place of a textarea, which stays the field that the form sends.
import { acceptCompletion, autocompletion, closeCompletion, completeFromList, ifNotIn, selectedCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { PostgreSQL, schemaCompletionSource } from '@codemirror/lang-sql';
import { HighlightStyle, bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, drawSelection, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// What a query may say. The dialect's own list is mostly words that change data, which nobody may here.
const KEYWORDS = words(`
  all and any as asc between by case cast cross current row desc distinct else end except exists explain false filter first
  following from full group grouping sets having ilike in inner intersect interval is join last lateral left like limit natural
  not null nulls offset on or order outer over partition preceding recursive right rows rollup select then true unbounded
  union using values when where window with within`);
const FUNCTIONS = words(`
  abs avg ceil char_length coalesce concat corr count date_bin date_part date_trunc dense_rank exp extract first_value floor
  greatest lag last_value lead least length ln lower lpad max median min nullif rank replace round row_number split_part
  sqrt starts_with stddev string_agg strpos substr sum to_char trim upper`);
const TYPES = words('bigint boolean date double precision integer numeric real text time timestamp varchar');
// A column called by one of these needs quotes although it looks plain.
const RESERVED = new Set([...KEYWORDS, ...words('array both check collate column constraint create default do fetch for grant into leading only table to trailing unique user')]);
// Where neither a name nor a keyword can begin; after a dot only the schema knows what comes.
const ELSEWHERE = ['QuotedIdentifier', 'String', 'LineComment', 'BlockComment', 'CompositeIdentifier', '.'];
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;
// A statement that runs leaves a record, so an impatient second press within this time is not sent.
const TWICE_MS = 1000;

/**
 * Returns `{ insert(text) }` of the editor that now stands before `field`.
 * `schema` maps each table to its columns, `[{ label, detail }]`.
 */
export function editSql(field, schema) {
  if (!('adoptedStyleSheets' in Document.prototype) || !('attachShadow' in Element.prototype)) {
    throw new Error('without adopted style sheets the editor would need inline styles');
  }
  const host = document.createElement('div');
  host.className = 'yw-editor';
  host.classList.toggle('yw-editor--error', field.classList.contains('govuk-textarea--error'));
  // In a shadow root the editor adopts its style sheet; in the page it would write a style element, which the policy forbids.
  const root = host.attachShadow({ mode: 'open' });
  const view = new EditorView({ root, parent: root, state: EditorState.create({ doc: field.value, extensions: extensions(field, schema) }) });
  field.before(host);
  standIn(field, view);
  return { insert: (text) => insert(view, text) };
}

function extensions(field, schema) {
  const completions = document.getElementById('tables-title')?.textContent.trim() || labelOf(field);
  return [
    lineNumbers(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    EditorView.lineWrapping,
    PostgreSQL.extension,
    PostgreSQL.language.data.of({ autocomplete: schemaCompletionSource({ dialect: PostgreSQL, schema: quoted(schema) }) }),
    PostgreSQL.language.data.of({ autocomplete: ifNotIn(ELSEWHERE, columnsOf(schema)) }),
    PostgreSQL.language.data.of({ autocomplete: ifNotIn(ELSEWHERE, completeFromList(vocabulary())) }),
    // Before the keys of the completion, which are of the same rank.
    Prec.highest(keymap.of([{ key: 'Mod-Enter', run: submitter(field) }, { key: 'Enter', run: leaveWhole }])),
    autocompletion({ icons: false }),
    // A screen reader says by itself what was deleted.
    EditorState.phrases.of({ Completions: completions, 'Selection deleted': '' }),
    // Tab takes a completion that is offered, and otherwise leaves as from any field.
    keymap.of([{ key: 'Tab', run: acceptCompletion }, ...defaultKeymap, ...historyKeymap]),
    EditorView.contentAttributes.of(described(field)),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) field.value = update.state.doc.toString();
    }),
    theme(),
    syntaxHighlighting(colours()),
  ];
}

// --- The field behind the editor ---

/** Hides the field and hands on what reaches it: focus by its label or the list of faults, a value that the browser restores. */
function standIn(field, view) {
  field.classList.add('govuk-visually-hidden');
  field.tabIndex = -1;
  field.setAttribute('aria-hidden', 'true');
  field.addEventListener('focus', () => view.focus());
  addEventListener('pageshow', () => {
    if (field.value !== view.state.doc.toString()) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: field.value } });
    }
  });
}

function labelOf(field) {
  return field.labels[0]?.textContent.trim() ?? '';
}

/** What the field says of itself; ids do not reach into a shadow root, so the texts go along. */
function described(field) {
  const ids = (field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean);
  const texts = ids.map((id) => document.getElementById(id)?.textContent.trim()).filter(Boolean);
  const attributes = { 'aria-label': labelOf(field), 'aria-keyshortcuts': 'Control+Enter Meta+Enter' };
  if (texts.length) attributes['aria-description'] = texts.join(' ');
  if (field.classList.contains('govuk-textarea--error')) attributes['aria-invalid'] = 'true';
  return attributes;
}

function submitter(field) {
  let last = -Infinity;
  return () => {
    if (performance.now() - last > TWICE_MS) {
      last = performance.now();
      field.form?.requestSubmit();
    }
    return true;
  };
}

function insert(view, text) {
  view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true, userEvent: 'input' });
  view.focus();
}

// --- Completion ---

/** Columns of the tables that the statement names, or of all as long as it names none. */
function columnsOf(schema) {
  const tables = Object.entries(schema);
  return (context) => {
    const word = context.matchBefore(/[\p{L}\p{N}_]+/u);
    if (!word && !context.explicit) return null;
    const text = context.state.doc.toString();
    const named = tables.filter(([table]) => text.includes(table));
    const scope = named.length ? named : tables;
    const options = new Map();
    for (const [table, columns] of scope) {
      for (const column of columns) {
        if (options.has(column.label)) continue;
        const detail = scope.length > 1 ? `${column.detail} · ${table}` : column.detail;
        options.set(column.label, { ...offered(column), detail, boost: 2 });
      }
    }
    return { from: word?.from ?? context.pos, options: [...options.values()], validFor: NAME };
  };
}

function vocabulary() {
  return [
    ...KEYWORDS.map((word) => ({ label: word.toUpperCase(), type: 'keyword' })),
    ...FUNCTIONS.map((word) => ({ label: word.toUpperCase(), apply: call, type: 'function' })),
    ...TYPES.map((word) => ({ label: word.toUpperCase(), type: 'type', boost: -1 })),
  ];
}

/** A word that is typed out needs no completion: Enter then begins a line, as its next binding does. */
function leaveWhole(view) {
  const chosen = selectedCompletion(view.state);
  if (!chosen || chosen.apply === call) return false;
  const { head } = view.state.selection.main;
  const typed = view.state.sliceDoc(view.state.doc.lineAt(head).from, head).match(/[\p{L}\p{N}_]+$/u)?.[0] ?? '';
  if (typed.toLowerCase() === (chosen.apply ?? chosen.label).toLowerCase()) closeCompletion(view);
  return false;
}

/** Writes a function with the cursor between its brackets. */
function call(view, completion, from, to) {
  const open = view.state.sliceDoc(to, to + 1) === '(';
  const text = open ? completion.label : `${completion.label}()`;
  view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + completion.label.length + 1 }, userEvent: 'input.complete' });
}

function quoted(schema) {
  return Object.fromEntries(Object.entries(schema).map(([table, columns]) => [table, columns.map(offered)]));
}

function offered({ label, detail }) {
  const plain = /^[a-z_][a-z0-9_]*$/.test(label) && !RESERVED.has(label);
  return { label, detail, apply: plain ? label : `"${label.replaceAll('"', '""')}"`, type: 'property' };
}

function words(text) {
  return text.trim().split(/\s+/);
}

// --- Looks; custom properties reach into the shadow root ---

function theme() {
  return EditorView.theme({
    '&': { color: 'var(--ink)', backgroundColor: '#fff', borderRadius: 'inherit', fontSize: 'max(1rem, 15px)' },
    '&.cm-focused': { outline: 'none' },
    '.cm-content, .cm-gutter': { minHeight: '10.5em' },
    '.cm-scroller': { maxHeight: '60vh', fontFamily: 'var(--mono)', lineHeight: '1.7', borderRadius: 'inherit' },
    '.cm-content': { padding: '10px 0', caretColor: 'var(--ink)' },
    '.cm-line': { padding: '0 14px 0 10px' },
    '.cm-cursor': { borderLeft: '2px solid var(--ink)' },
    '.cm-gutters': { backgroundColor: 'var(--wash)', color: 'var(--ink-soft)', border: 'none', borderRight: '1px solid var(--line)' },
    '.cm-lineNumbers .cm-gutterElement': { minWidth: '1.6em', padding: '0 8px 0 6px' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: '#cfe3dc' },
    '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--brand-soft)', outline: '1px solid var(--line-strong)' },
    '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-soft)', outline: '1px solid var(--bad)' },
    '.cm-tooltip': { border: '1px solid var(--line-strong)', borderRadius: 'var(--radius-small)', backgroundColor: '#fff', boxShadow: 'var(--shadow)', overflow: 'hidden' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16em', minWidth: 'min(260px, 90vw)', maxWidth: 'min(560px, 92vw)' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', gap: '0 12px', padding: '5px 12px', lineHeight: '1.5' },
    '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--brand)', color: '#fff' },
    '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
    '.cm-completionDetail': { marginLeft: '0', color: 'var(--ink-soft)', fontFamily: 'var(--sans)', fontSize: '.9em', fontStyle: 'normal' },
    'li[aria-selected] .cm-completionDetail': { color: '#fff' },
  });
}

function colours() {
  return HighlightStyle.define([
    { tag: tags.keyword, color: 'var(--brand)', fontWeight: '600' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--warn)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--info)' },
    { tag: tags.typeName, color: 'var(--info)' },
    { tag: tags.comment, color: 'var(--ink-soft)' },
  ]);
}
