// Draws the rows of `table#result` as a picture of the reader's choosing in `#chart`. The table stays below as the picture's text.
import { BarChart, LineChart, PieChart, ScatterChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([BarChart, LineChart, PieChart, ScatterChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

const KINDS = ['bar', 'line', 'pie', 'scatter'];
const PALETTE = ['--brand', '--gold', '--link', '--bad', '--line-strong', '--warn', '--good', '--info'];
/** What is left over has no colour of its own. */
const REST = '--ink-soft';

/** Offers pictures of `table` inside `box`, whose data attributes hold the words. */
function offerCharts(box, table) {
  const columns = [...table.tHead.rows[0].cells].map((cell, index) => ({ index, name: cell.textContent.trim(), numeric: 'numeric' in cell.dataset }));
  const numeric = columns.filter((column) => column.numeric);
  if (!numeric.length) return;

  const words = box.dataset;
  const kind = choice('kind', words.labelKind, [['', words.labelNone], ...KINDS.map((name) => [name, words[`label${name[0].toUpperCase()}${name.slice(1)}`]])]);
  const x = choice('x', words.labelX, columns.map(({ index, name }) => [index, name]));
  const y = choice('y', words.labelY, numeric.map(({ index, name }) => [index, name]));
  // What was counted or summed mostly stands last.
  y.field.value = numeric[numeric.length - 1].index;
  x.field.value = (columns.find((column) => !column.numeric) ?? columns.find(({ index }) => index !== Number(y.field.value)) ?? columns[0]).index;

  const fields = document.createElement('div');
  fields.className = 'yw-chart__fields';
  fields.append(kind.group, x.group, y.group);
  const picture = document.createElement('div');
  picture.className = 'yw-chart__picture';
  box.classList.add('yw-chart');
  box.replaceChildren(fields, picture);

  const draw = drawer(picture, table);
  const show = () => {
    const chosen = kind.field.value;
    for (const { group } of [x, y]) group.hidden = !chosen;
    picture.hidden = !chosen;
    const [across, up] = [columns[x.field.value], columns[y.field.value]];
    draw(chosen && { kind: chosen, x: across, y: up, said: `${words.summary} ${kind.field.selectedOptions[0].text}: ${up.name} / ${across.name}` });
  };
  recall(columns, kind.field, x.field, y.field);
  fields.addEventListener('change', () => {
    remember(columns, kind.field.value, x.field.value, y.field.value);
    show();
  });
  show();
}

/** A labelled list; `options` are pairs of value and text. */
function choice(name, label, options) {
  const group = document.createElement('div');
  group.className = 'govuk-form-group';
  const title = document.createElement('label');
  title.className = 'govuk-label govuk-label--s';
  title.htmlFor = `chart-${name}`;
  title.textContent = label;
  const field = document.createElement('select');
  field.className = 'govuk-select';
  field.id = title.htmlFor;
  field.append(...options.map(([value, text]) => new Option(text, value)));
  group.append(title, field);
  return { group, field };
}

// --- The choice in the address ---

function remember(columns, kind, x, y) {
  const chosen = new URLSearchParams({ chart: kind, x: columns[x].name, y: columns[y].name });
  history.replaceState(history.state, '', kind ? `#${chosen}` : location.pathname + location.search);
}

/** Takes the choice of an earlier result as long as its columns are here too. */
function recall(columns, kind, x, y) {
  const chosen = new URLSearchParams(location.hash.slice(1));
  const across = columns.find(({ name }) => name === chosen.get('x'));
  const up = columns.find(({ name, numeric }) => numeric && name === chosen.get('y'));
  if (!across || !up || !KINDS.includes(chosen.get('chart'))) return;
  kind.value = chosen.get('chart');
  x.value = across.index;
  y.value = up.index;
}

// --- The picture ---

/** Returns what draws a choice into `picture`, or clears it. */
function drawer(picture, table) {
  let chart;
  new ResizeObserver(() => chart?.resize()).observe(picture);
  return (chosen) => {
    chart?.dispose();
    chart = undefined;
    if (!chosen) return;
    chart = init(picture, null, { renderer: 'canvas' });
    const style = getComputedStyle(picture);
    const colour = (name) => style.getPropertyValue(name).trim();
    chart.setOption({ ...common(style, colour, chosen), ...(chosen.kind === 'pie' ? pie(table, chosen, colour) : axes(table, chosen)) });
  };
}

function common(style, colour, { kind, said }) {
  return {
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    color: PALETTE.map(colour),
    textStyle: { color: style.color, fontFamily: style.fontFamily, fontSize: Number.parseFloat(style.fontSize) },
    // The rows themselves are in the table; the library's own description would read out each again.
    aria: { enabled: true, label: { enabled: true, description: said }, decal: { show: kind === 'pie' } },
    // As markup a tooltip would carry styles, which the policy forbids; so it is drawn in the canvas.
    tooltip: { trigger: kind === 'bar' || kind === 'line' ? 'axis' : 'item', renderMode: 'richText', confine: true, valueFormatter: exact() },
  };
}

/** Bars stand at names, whatever these look like; a line or dots over numbers keep the distances between them. */
function measured(kind, x) {
  return x.numeric && (kind === 'line' || kind === 'scatter');
}

function axes(table, { kind, x, y }) {
  const rows = rowsOf(table, x, y);
  const distances = measured(kind, x);
  const points = distances ? rows.filter((row) => number(row.x) !== null).map((row) => [number(row.x), row.y]) : rows.map((row) => row.y);
  if (distances && kind === 'line') points.sort((a, b) => a[0] - b[0]);
  const named = { nameLocation: 'middle', nameTextStyle: { fontWeight: 600 } };
  return {
    grid: { left: 8, right: 16, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
    xAxis: distances
      ? { ...named, name: x.name, type: 'value', scale: true, axisLabel: { formatter: String, hideOverlap: true } }
      : { ...named, name: x.name, type: 'category', data: rows.map((row) => row.x ?? '∅'), axisLabel: { hideOverlap: true, width: 110, overflow: 'truncate' } },
    yAxis: { ...named, name: y.name, type: 'value', scale: kind === 'scatter', axisLabel: { formatter: short() } },
    series: [{ type: kind, name: y.name, data: points, barMaxWidth: 48, symbolSize: kind === 'scatter' ? 9 : 6, showSymbol: points.length <= 60 }],
  };
}

/** The largest parts of the whole; more of them than there are colours nobody tells apart. */
function pie(table, { x, y }, colour) {
  const parts = new Map();
  for (const row of rowsOf(table, x, y)) {
    const name = row.x ?? '∅';
    if (row.y > 0) parts.set(name, (parts.get(name) ?? 0) + row.y);
  }
  const slices = [...parts].map(([name, value]) => ({ name, value })).sort((a, b) => b.value - a.value);
  const rest = slices.splice(PALETTE.length);
  if (rest.length) slices.push({ name: `… (${rest.length})`, value: rest.reduce((sum, slice) => sum + slice.value, 0), itemStyle: { color: colour(REST) } });
  return {
    legend: { type: 'scroll', bottom: 0 },
    series: [{ type: 'pie', name: y.name, data: slices, radius: [0, '68%'], center: ['50%', '44%'], label: { formatter: '{d}%' }, itemStyle: { borderColor: '#fff', borderWidth: 2 } }],
  };
}

function rowsOf(table, x, y) {
  return [...table.tBodies[0].rows].map((row) => ({ x: text(row.cells[x.index]), y: number(text(row.cells[y.index])) }));
}

/** A cell's text; nothing for NULL, which the page marks. */
function text(cell) {
  return cell.querySelector('.yw-null') ? null : cell.textContent.trim();
}

/** A number, or nothing where there is none that can be drawn. */
function number(value) {
  const found = value === null || value === '' ? Number.NaN : Number(value);
  return Number.isFinite(found) ? found : null;
}

function short() {
  const format = new Intl.NumberFormat(document.documentElement.lang, { notation: 'compact', maximumSignificantDigits: 6 });
  return (value) => format.format(value);
}

function exact() {
  const format = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 12 });
  return (value) => (typeof value === 'number' ? format.format(value) : String(value ?? '∅'));
}

const box = document.getElementById('chart');
const result = document.querySelector('table#result');
if (box && result) offerCharts(box, result);
