// Draws QR codes from `data-qr` and counts down to `data-expires`.
import qrcode from 'qrcode-generator';

// Without this the library keeps only the low byte of each Chinese character.
qrcode.stringToBytes = (text) => Array.from(new TextEncoder().encode(text));

const SVG = 'http://www.w3.org/2000/svg';
const QUIET = 4;

function draw(box) {
  const code = qrcode(0, 'M');
  code.addData(box.dataset.qr, 'Byte');
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    }
  }
  const size = count + 2 * QUIET;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', box.dataset.qrLabel);
  svg.setAttribute('shape-rendering', 'crispEdges');
  for (const [d, fill] of [[`M0 0h${size}v${size}h-${size}z`, '#fff'], [path, '#0d1b1a']]) {
    const part = document.createElementNS(SVG, 'path');
    part.setAttribute('d', d);
    part.setAttribute('fill', fill);
    svg.append(part);
  }
  box.replaceChildren(svg);
}

function countDown(left) {
  const until = Date.parse(left.dataset.expires);
  const timer = setInterval(tick, 1000);
  function tick() {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) {
      left.textContent = left.dataset.leftText.replace('%s', seconds);
      return;
    }
    clearInterval(timer);
    left.textContent = left.dataset.overText;
    left.setAttribute('role', 'status');
    left.closest('.yw-qr').querySelector('[data-qr]')?.classList.add('yw-qr__code--over');
  }
  tick();
}

document.querySelectorAll('[data-qr]').forEach(draw);
document.querySelectorAll('[data-expires]').forEach(countDown);
