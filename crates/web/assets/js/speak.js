// 长者模式: reads the page's main part aloud with the browser's own voice.
export function initSpeak(scope = document) {
  if (!('speechSynthesis' in window)) return;
  for (const box of scope.querySelectorAll('[data-speak]')) {
    const button = box.querySelector('button');
    const label = button.querySelector('span');
    const start = label.textContent;
    const reset = () => { label.textContent = start; button.setAttribute('aria-pressed', 'false'); };
    box.hidden = false;
    button.addEventListener('click', () => {
      const speaking = speechSynthesis.speaking;
      speechSynthesis.cancel();
      if (speaking) return reset();
      const main = document.getElementById('main-content').cloneNode(true);
      main.querySelectorAll('[data-speak], script, svg, .govuk-visually-hidden').forEach((node) => node.remove());
      // Short pieces: some voices fall silent in the middle of a long text.
      const pieces = main.textContent.split(/[。！？\n.!?]+/).map((piece) => piece.trim()).filter(Boolean);
      pieces.forEach((piece, index) => {
        const speech = new SpeechSynthesisUtterance(piece);
        speech.lang = document.documentElement.lang;
        speech.rate = 0.9;
        if (index === pieces.length - 1) speech.addEventListener('end', reset);
        speechSynthesis.speak(speech);
      });
      label.textContent = box.dataset.speakStop;
      button.setAttribute('aria-pressed', 'true');
    });
  }
  addEventListener('pagehide', () => speechSynthesis.cancel());
}
