// Texts that the vectors are made of: written here or drawn from a seed, the same on every run.

const WRITTEN = [
  'Hello, world!', 'Hello  world   with    spaces', ' leading and trailing ', '\n\nTwo lines\n\n\n  then   more\t\ttabs \r\n end',
  "I'm sure it's what they'd've wanted, isn't it? WE'LL SEE, I'M SURE THEY'RE HERE.", 'The year 2024 had 366 days, 1234567890 seconds, 3.14159 and 10,000.50.',
  'for (int i = 0; i < n; ++i) {\n    total += values[i] * 2;  // sum\n}\n', 'def add(a, b):\n\treturn a + b\n\n\nprint(add(1, 2))', '{"name": "x", "list": [1, 2.5, -3e10], "nested": {"a": null}}',
  'https://example.test/path?query=1&other=two#part user@example.test', '<html><body class="a">&amp; text</body></html>', '$$ \\frac{a}{b} + \\sqrt{x^2} $$ 100% #1 @home 5€ £3 ¥7',
  'Der Fluß fließt über die größten Brücken; Äpfel, Öl, Übermut.', 'Où est la bibliothèque ? Ça va, l’été à Nîmes…', '¿Dónde está el niño? ¡Mañana será otro día!', 'Zażółć gęślą jaźń, proszę państwa.',
  'Быстрая лиса прыгнула через ленивую собаку в 7 часов.', 'Η γρήγορη αλεπού πήδηξε πάνω από τον τεμπέλη σκύλο.', 'שלום עולם, מה שלומך היום?', 'مرحبا بالعالم، كيف حالك اليوم؟ ١٢٣٤٥', 'فارسی می‌نویسم و نیم‌فاصله دارم.',
  'नमस्ते दुनिया, आप कैसे हैं? क्षत्रिय ज्ञान १२३', 'வணக்கம் உலகம்', 'สวัสดีชาวโลก วันนี้อากาศดี', '你好，世界。今天天气很好，我们去公园吧！', '東京の天気はどうですか？カタカナとひらがな、ﾊﾝｶｸ。', '안녕하세요 세계! 오늘은 날씨가 좋네요.', 'Xin chào thế giới, hôm nay trời đẹp quá.',
  '😀😃😄 smiling', '👨‍👩‍👧‍👦 family and 👩🏽‍🚀 astronaut', '🇩🇪🇫🇷🇯🇵 flags, keycap 1️⃣ and ❤️', 'e\u0301 and é, n\u0303 and ñ, A\u030A Å Å', 'a\u0300\u0301\u0302\u0303b', '𝕳𝖊𝖑𝖑𝖔 𝟙𝟚𝟛 𐐀𐐁𐐨𐐩 𐌰𐌱𐌲', 'ﬁ ﬂ ﬀ ① ② ½ ² ³ ㎏ ㍍ Ⅷ', 'ÅΩK ſtreet ſ',
  '\u00A0non-breaking\u00A0 \u2003em space\u3000ideographic', 'tab\tand\vvertical\fform', 'zero\u200Bwidth\u200Djoiner\u200Cnon', '“Quotes” ‘single’ «guillemets» — dash – en … dots', '...!!!???---___===+++***', '(((([[[[{{{{}}}}]]]]))))',
  'a', ' ', '  ', '\n', '\t', '0', 'é', '中', '😀', '\u0301', 'ab'.repeat(60), 'a'.repeat(300), ' '.repeat(130), '\n'.repeat(50), '1'.repeat(31), '!'.repeat(33), 'é'.repeat(40), '中'.repeat(45), '😀'.repeat(20),
  'camelCaseWord snake_case_word SCREAMING_CASE kebab-case-word XMLHttpRequest iPhone15Pro', 'MixedUPPERlower123and456MORE', "l'homme qu'il O'Brien 'quoted' 's 't 'S 'T 'LL", '1st 2nd 3rd 4th 10x 0xFF 1e-9 v1.2.3-beta+build',
];

// Ranges whose code points are all assigned since long ago, so that every version of Unicode agrees on them.
const RANGES = [
  [0x20, 0x7E], [0x20, 0x7E], [0x20, 0x7E], [0xA1, 0xFF], [0x100, 0x17F], [0x391, 0x3A1], [0x3A3, 0x3C9], [0x410, 0x44F], [0x5D0, 0x5EA], [0x621, 0x63A], [0x660, 0x669],
  [0x905, 0x939], [0x93E, 0x94D], [0x966, 0x96F], [0xE01, 0xE3A], [0x1E00, 0x1E99], [0x2010, 0x2027], [0x2030, 0x205E], [0x2190, 0x21FF], [0x2200, 0x22FF], [0x2460, 0x249B], [0x3041, 0x3096], [0x30A1, 0x30FA],
  [0x4E00, 0x9FA5], [0xAC00, 0xD7A3], [0xFF01, 0xFF5E], [0x300, 0x34E], [0x10330, 0x1034A], [0x10400, 0x1044F], [0x1D400, 0x1D454], [0x1D7CE, 0x1D7FF], [0x1F600, 0x1F64F], [0x1F300, 0x1F320], [0x20000, 0x2A6D6],
];

export function random(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x100000000) * bound);
  };
}

function drawn(pick) {
  const kind = pick(5);
  const spaces = [' ', ' ', '  ', '\n', '\t', '\r\n', '\u00A0', '   '];
  let text = '';
  for (let left = 1 + pick(40); left > 0; --left) {
    if (pick(6) === 0) text += spaces[pick(spaces.length)];
    else if (kind === 0) text += String.fromCharCode(0x20 + pick(0x5F));
    else if (kind === 1) text += String.fromCharCode([0x61, 0x41, 0x30, 0x27][pick(4)] + pick(9));
    else {
      const [first, last] = RANGES[kind === 2 ? pick(RANGES.length) : (pick(3) * 11 + kind) % RANGES.length];
      text += String.fromCodePoint(first + pick(last - first + 1));
    }
  }
  return text;
}

export function texts(seed, count) {
  const pick = random(seed);
  return [...WRITTEN, ...Array.from({ length: count }, () => drawn(pick))];
}

export const corpus = WRITTEN.join('\n') + '\n' + 'the of and to in that it is was for on are with as they be at one have this from or had by hot but some what there we can out other were all your when use word how said an each she '.repeat(3);
